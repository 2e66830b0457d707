UNION ALL
SELECT arrayJoin(arrayPushFront(d.parts, d.key)) AS id, o.case FROM (
    SELECT key, parts FROM scope_rows
    WHERE NOT is_call AND streamed AND key NOT IN (SELECT key FROM scope_rows WHERE is_call AND streamed)
) AS d LEFT ANY JOIN owners AS o ON d.key = o.key
WHERE id IN (SELECT refers_to FROM scope_rows WHERE NOT is_call AND NOT streamed)
