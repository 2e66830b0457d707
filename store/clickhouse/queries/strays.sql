-- Trace, minute, partition: rows in :minutes that refer to rows of a trace which are not in that minute
-- themselves, or not there at all. Four kinds of reference: a parent, which is a call (those of the
-- minute are not among `unheld`) or lies in a document; the document of a call; the other end of a link;
-- the completion of a segment or call in progress, whose start may lie in another minute.
SELECT trace_id, minute, partition FROM (
    SELECT trace_id, minute, :partition AS partition FROM unheld
    LEFT ANTI JOIN (
        SELECT trace_id, minute, member FROM segments
        ARRAY JOIN arrayPushFront(members, id) AS member
        WHERE :minutes AND trace_id IN (SELECT trace_id FROM unheld)
    ) AS held ON unheld.trace_id = held.trace_id AND unheld.minute = held.minute
             AND unheld.parent_id = held.member
    UNION ALL
    SELECT trace_id, minute, :partition AS partition FROM loose
    UNION ALL
    SELECT trace_id, minute, :partition AS partition FROM segments WHERE :minutes
    GROUP BY trace_id, minute, id HAVING max(state) = 0
    UNION ALL
    SELECT trace_id, minute, :partition AS partition FROM calls WHERE :minutes
    GROUP BY trace_id, minute, id HAVING max(state) = 0
    UNION ALL
    SELECT other AS trace_id, minute, partition
    FROM (SELECT other_trace AS other, minute, :partition AS partition FROM links WHERE :minutes)
)
GROUP BY trace_id, minute, partition
