-- The segment that each streamed subsegment belongs to, if its parent is part of one: `done`, and its case.
SELECT s.key AS key, h.holder AS at, NOT h.streamed AS done, if(h.streamed, 0, h.case) AS case,
       s.trace_id AS trace_id
FROM (SELECT key, refers_to, trace_id FROM scope_rows WHERE NOT is_call AND streamed) AS s
LEFT ANY JOIN (
    SELECT arrayJoin(arrayPushFront(parts, key)) AS id, key AS holder, streamed, case FROM scope_rows WHERE NOT is_call
) AS h ON s.refers_to = h.id
