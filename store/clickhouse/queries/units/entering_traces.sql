-- The traces of `entering`, as rows of units/odd_traces: odd, unless in all of the scope no span enters its service.
UNION ALL
SELECT trace_id, bucket, 1, may_enter AND own NOT IN (
    SELECT bitXor(key, cityHash64(if(is_call, owner_name, name))) FROM scope_rows
    WHERE NOT streamed AND trace_id IN (SELECT trace_id FROM entering)
    UNION ALL
    SELECT bitXor(refers_to, cityHash64(name)) FROM scope_rows
    WHERE NOT is_call AND NOT independent AND refers_to != 0 AND trace_id IN (SELECT trace_id FROM entering)
)
FROM entering
