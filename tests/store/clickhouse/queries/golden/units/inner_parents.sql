UNION ALL
SELECT arrayJoin(arrayPushFront(d.parts, d.key)) AS id, <owner><more> FROM (
    SELECT key, parts, streamed, case FROM scope_rows
    WHERE NOT is_call AND independent AND key NOT IN (SELECT key FROM scope_rows WHERE is_call AND independent)
) AS d <owners>
WHERE id IN (SELECT refers_to FROM scope_rows WHERE NOT is_call AND NOT independent)
