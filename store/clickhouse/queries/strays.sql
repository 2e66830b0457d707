-- Pairs (trace, minute): rows in :minutes that refer to rows of a trace which are not in
-- that minute themselves, or not there at all. Three kinds of reference: a parent, which is a call
-- or lies in a document; the document of a call; the other end of a link.
WITH parents AS (
    SELECT s.trace_id AS trace_id, s.minute AS minute, s.parent_id AS id
    FROM (SELECT trace_id, minute, parent_id FROM segments WHERE :minutes AND parent_id != 0) AS s
    LEFT ANTI JOIN (SELECT trace_id, minute, id FROM calls WHERE :minutes) AS c
        ON s.trace_id = c.trace_id AND s.minute = c.minute AND s.parent_id = c.id
)
SELECT trace_id, minute FROM (
    SELECT trace_id, minute FROM parents
    LEFT ANTI JOIN (
        SELECT trace_id, minute, member FROM segments
        ARRAY JOIN arrayPushFront(members, id) AS member
        WHERE :minutes AND trace_id IN (SELECT trace_id FROM parents)
    ) AS held ON parents.trace_id = held.trace_id AND parents.minute = held.minute
             AND parents.id = held.member
    UNION ALL
    SELECT c.trace_id AS trace_id, c.minute AS minute
    FROM (SELECT trace_id, minute, document_id FROM calls WHERE :minutes) AS c
    LEFT ANTI JOIN (SELECT trace_id, minute, id FROM segments WHERE :minutes) AS d
        ON c.trace_id = d.trace_id AND c.minute = d.minute AND c.document_id = d.id
    UNION ALL
    SELECT other_trace AS trace_id, minute FROM links WHERE :minutes
)
GROUP BY trace_id, minute
