-- The traces of `nested`, as rows of units/odd_traces: odd if it takes more than comparing a call with the only one directly
-- within it (units/pairs).
UNION ALL
SELECT trace_id, bucket, 0, 1 FROM nested
WHERE is_way OR kind NOT IN $leaving OR outer IN (SELECT key FROM nested)
   OR outer IN (SELECT outer FROM nested GROUP BY outer HAVING count() > 1)
   OR outer NOT IN (SELECT key FROM scope_rows WHERE NOT is_call AND independent > $Independent.OF_PARENT AND kind IN $leaving)
   OR outer IN (SELECT refers_to FROM scope_rows WHERE NOT is_call AND NOT independent)
   OR key IN (SELECT refers_to FROM scope_rows WHERE is_call AND key != refers_to)
   OR key IN (SELECT other FROM scope_links) OR outer IN (SELECT other FROM scope_links)
   OR key IN (SELECT key FROM scope_rows WHERE is_call AND name = '')
