-- The other ends of links (store.edges.find_end): a call stands for who answered it, or for the node
-- it leads to; anything else for the segment that owns it.
SELECT trace_id, id, argMin(node, preference) AS node, argMin(end, preference) AS end
FROM (
    SELECT c.trace_id AS trace_id, c.id AS id, c.start + c.duration AS end, 0 AS preference,
           if(a.parent_id != 0, a.node, (c.account, c.name, c.type)) AS node
    FROM (
        SELECT * FROM calls FINAL
        WHERE :near
          AND (trace_id, id) IN (SELECT other_trace, other_id FROM linked) AND :whole
    ) AS c
    LEFT JOIN (
        SELECT trace_id, parent_id, min((toString(account), toString(name), toString(type))) AS node
        FROM segments FINAL
        WHERE :near
          AND independent = 0 AND parent_id != 0
          AND trace_id IN (SELECT other_trace FROM linked)
        GROUP BY trace_id, parent_id
    ) AS a ON c.trace_id = a.trace_id AND c.id = a.parent_id
    UNION ALL
    SELECT h.trace_id AS trace_id, h.member AS id, h.end AS end, 1 AS preference, o.node AS node
    FROM (
        SELECT * FROM holders
        WHERE (trace_id, member) IN (SELECT other_trace, other_id FROM linked)
    ) AS h
    INNER JOIN owners AS o ON h.trace_id = o.trace_id AND h.id = o.document_id
)
GROUP BY trace_id, id
