-- One row per unit of an edge that started in [:from, :to). Three kinds: calls (the caller's view; to
-- each node that answered, or to the inferred node), and segments whose parent is no call: roots,
-- from their client, and children of a segment or local subsegment (the Lambda pair); and links
-- between traces, whose duration is the event's age.
-- The rules are those of store/edges.py; needs the tables of store/clickhouse/kinship.py.
SELECT source, target, if(host != target.2, host, '') AS alias, start, duration, state, status, exception,
       0 AS link
FROM (
    SELECT c.start AS start, c.duration AS duration, c.state AS state,
           c.status AS status, c.exception AS exception, c.host AS host,
           if(c.independent = 1, o.node, (c.owner_account, c.owner_name, c.owner_type)) AS source,
           if(a.parent_id != 0, (a.account, a.name, a.type), (c.account, c.name, c.type)) AS target,
           c.independent = 0 OR notEmpty(o.node.2) AS owned
    FROM (
        SELECT * FROM calls FINAL
        WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
          AND start >= :from AND start < :to AND :whole
    ) AS c
    LEFT ANY JOIN owners AS o ON c.trace_id = o.trace_id AND c.document_id = o.document_id
    LEFT JOIN (
        SELECT DISTINCT trace_id, parent_id, account, name, type FROM segments FINAL
        WHERE minute BETWEEN intDiv(:lo, 60000000) AND intDiv(:hi, 60000000)
          AND independent = 0 AND parent_id != 0
    ) AS a ON c.trace_id = a.trace_id AND c.id = a.parent_id
)
WHERE owned
UNION ALL
SELECT if(root, ('', name, 'client'), node) AS source, (account, name, type) AS target, '' AS alias,
       start, duration, state, status, exception, 0 AS link
FROM (
    SELECT r.*, o.node AS node, h.member = 0 AS root
    FROM orphaned AS r
    LEFT ANY JOIN holders AS h ON r.trace_id = h.trace_id AND r.parent_id = h.member
    LEFT ANY JOIN owners AS o ON r.trace_id = o.trace_id AND h.id = o.document_id
)
WHERE root OR notEmpty(node.2)
UNION ALL
SELECT if(upstream = 1, other, own) AS source, if(upstream = 1, own, other) AS target, '' AS alias, start,
       greatest(0, if(upstream = 1, if(event_received != 0, event_received, start) - other_end,
                      event_received - (start + duration))) AS duration,
       state, status, exception, 1 AS link
FROM (
    SELECT l.*, e.node AS other, e.end AS other_end, if(l.independent = 1, o.node, l.node) AS own
    FROM linked AS l
    INNER JOIN ends AS e ON l.other_trace = e.trace_id AND l.other_id = e.id
    LEFT ANY JOIN owners AS o ON l.trace_id = o.trace_id AND l.document_id = o.document_id
)
WHERE notEmpty(own.2)
