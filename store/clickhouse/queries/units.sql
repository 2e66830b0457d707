-- One row per unit that started in the rows of :own, of nodes (kind 0), of edges of calls (1) and of
-- edges of links (2). The rules are those of store/edges.py; needs the tables of
-- store/clickhouse/kinship.py. :near holds :own and whatever else units in :own depend on.
-- A segment is a unit of its own node.
SELECT 0 AS kind, ('', '', '') AS source, (account, name, type) AS target, service AS word,
       inferred = 0 AS active, trace_id, start, duration, last_duration, state, status, exception
FROM segments FINAL
WHERE :own AND independent = 0
UNION ALL
-- A call is an edge, the caller's view, to each node that answered; to the inferred node, and a unit
-- of that, when none did.
SELECT kind, if(kind = 1, caller, ('', '', '')) AS source, target,
       if(kind = 0, service, if(host != target.2, host, '')) AS word,
       0 AS active, trace_id, start, duration, duration AS last_duration, state, status, exception
FROM (
    SELECT c.trace_id AS trace_id, c.start AS start, c.duration AS duration, c.state AS state,
           c.status AS status, c.exception AS exception, c.service AS service, c.host AS host,
           if(c.independent = 1, o.node, (c.owner_account, c.owner_name, c.owner_type)) AS caller,
           a.parent_id != 0 AS answered,
           if(answered, (a.account, a.name, a.type), (c.account, c.name, c.type)) AS target,
           c.independent = 0 OR notEmpty(o.node.2) AS owned
    FROM (SELECT * FROM calls FINAL WHERE :own AND :whole) AS c
    LEFT ANY JOIN owners AS o ON c.trace_id = o.trace_id AND c.document_id = o.document_id
    LEFT JOIN (
        SELECT DISTINCT trace_id, parent_id, account, name, type FROM segments FINAL
        WHERE :near AND independent = 0 AND parent_id != 0
    ) AS a ON c.trace_id = a.trace_id AND c.id = a.parent_id
)
ARRAY JOIN arrayConcat(if(owned, [1], []), if(answered, [], [0])) AS kind
UNION ALL
-- Segments whose parent is no call: roots, from their client, and children of a segment or local
-- subsegment (the Lambda pair), with their own figures.
SELECT 1 AS kind, if(root, ('', name, 'client'), node) AS source, (account, name, type) AS target,
       '' AS word, 0 AS active, trace_id, start, duration, duration AS last_duration,
       state, status, exception
FROM (
    SELECT r.trace_id AS trace_id, r.start AS start, r.duration AS duration, r.state AS state,
           r.status AS status, r.exception AS exception, r.account AS account, r.name AS name,
           r.type AS type, o.node AS node, h.member = 0 AS root
    FROM orphaned AS r
    LEFT ANY JOIN holders AS h ON r.trace_id = h.trace_id AND r.parent_id = h.member
    LEFT ANY JOIN owners AS o ON r.trace_id = o.trace_id AND h.id = o.document_id
)
WHERE root OR notEmpty(node.2)
UNION ALL
-- Links between traces; the time is the event's age.
SELECT 2 AS kind, if(upstream = 1, other, own) AS source, if(upstream = 1, own, other) AS target,
       '' AS word, 0 AS active, trace_id, start,
       greatest(0, if(upstream = 1, if(event_received != 0, event_received, start) - other_end,
                      event_received - (start + duration))) AS duration,
       duration AS last_duration, state, status, exception
FROM (
    SELECT l.trace_id AS trace_id, l.start AS start, l.duration AS duration, l.state AS state,
           l.status AS status, l.exception AS exception, l.upstream AS upstream,
           l.event_received AS event_received, e.node AS other, e.end AS other_end,
           if(l.independent = 1, o.node, l.node) AS own
    FROM linked AS l
    INNER JOIN ends AS e ON l.other_trace = e.trace_id AND l.other_id = e.id
    LEFT ANY JOIN owners AS o ON l.trace_id = o.trace_id AND l.document_id = o.document_id
)
WHERE notEmpty(own.2)
