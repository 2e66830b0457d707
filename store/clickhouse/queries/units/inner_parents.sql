-- Work inside a service that is no call, as a parent of segments: with the case of the node that it is of. $more columns.
UNION ALL
SELECT arrayJoin(arrayPushFront(d.parts, d.key)) AS id, $owner$more FROM (
    SELECT key, parts, streamed, case FROM scope_rows
    WHERE NOT is_call AND independent AND key NOT IN (SELECT key FROM scope_rows WHERE is_call AND independent)
) AS d $owners
WHERE id IN (SELECT refers_to FROM scope_rows WHERE NOT is_call AND NOT independent)
