-- One row per unit that started in the rows of $target: units of nodes (kind 0), of edges by calls (1) and of
-- edges by links (2). The rules are those of store/service_graph.py. Reads the temporary tables of
-- store/clickhouse/units/parents.py. $input contains $target and all rows that units in $target depend on.
-- A segment is a unit of its own node, and without a parent also one of the edge from its client, unless it is
-- among `caused_documents`. The client is store.model.client_of; the client of a segment whose parent (below), or
-- what its link says caused it, is not stored is unconfirmed. Links are read once more for that: of a segment that
-- was stored after `links_in_scope` was filled, the cause is not known yet (links are inserted before segments).
SELECT kind,
       if(kind = 1 AND (trace_id, id, ver) IN (
              SELECT trace_id, document_id, ver FROM links WHERE $target AND upstream = 1),
          /*include units/unconfirmed_account*/, '') AS source_account,
       if(kind = 1, name, '') AS source_name,
       if(kind = 1, if(position(user_agent, 'CloudWatchSynthetics') > 0, 'client::Synthetics', 'client'), '')
           AS source_type, '' AS source_region, account, name, type, region,
       if(kind = 0, service, '') AS word, kind = 0 AND inferred = 0 AS active,
       trace_id, start, duration, if(kind = 0, greatest(duration, last_duration), duration) AS last_duration,
       state, status, exception, weight
FROM (SELECT * FROM segments FINAL WHERE $target AND $newest_segments AND independent = 0)
ARRAY JOIN if(parent_id = 0 AND (trace_id, id) NOT IN (SELECT trace_id, id FROM caused_documents), [0, 1], [0]) AS kind
UNION ALL
-- A call is a unit of the edge to each node that answered it, with the caller's figures. Without an answer it
-- is a unit of the edge to the inferred node, and of that node.
SELECT kind,
       if(kind = 1, caller_account, '') AS source_account, if(kind = 1, caller_name, '') AS source_name,
       if(kind = 1, caller_type, '') AS source_type, if(kind = 1, caller_region, '') AS source_region,
       account, target AS name, type, region,
       if(kind = 0, service, if(host != target, host, '')) AS word, 0 AS active,
       trace_id, start, duration, duration AS last_duration, state, status, exception, weight
FROM (
    SELECT c.trace_id AS trace_id, c.start AS start, c.duration AS duration, c.state AS state,
           c.status AS status, c.exception AS exception, c.weight AS weight,
           c.service AS service, c.host AS host,
           if(c.independent = 1, o.account, c.owner_account) AS caller_account,
           if(c.independent = 1, o.name, c.owner_name) AS caller_name,
           if(c.independent = 1, o.type, c.owner_type) AS caller_type,
           if(c.independent = 1, o.region, c.owner_region) AS caller_region,
           a.parent_id != 0 AS answered,
           if(answered, a.account_, c.account) AS account, if(answered, a.name_, c.name) AS target,
           if(answered, a.type_, c.type) AS type, if(answered, a.region_, c.region) AS region,
           c.independent = 0 OR notEmpty(o.name) AS owned
    FROM (SELECT * FROM calls FINAL WHERE $target AND $newest_calls AND $has_document) AS c
    LEFT ANY JOIN owning_segments AS o ON c.trace_id = o.trace_id AND c.document_id = o.document_id
    LEFT JOIN (
        SELECT trace_id, parent_id, any(account) AS account_, any(name) AS name_, any(type) AS type_,
               any(region) AS region_
        FROM segments FINAL
        WHERE $input AND $newest_segments AND independent = 0 AND parent_id != 0
        GROUP BY trace_id, parent_id, cityHash64(account, name, type, region)
    ) AS a ON c.trace_id = a.trace_id AND c.id = a.parent_id
)
ARRAY JOIN arrayConcat(if(owned, [1], []), if(answered, [], [0])) AS kind
UNION ALL
-- Segments whose parent is not a call: children of a segment or of a local subsegment (the Lambda pair),
-- with their own figures, or roots when the parent is not stored.
SELECT 1 AS kind,
       if(root, /*include units/unconfirmed_account*/, o.account) AS source_account,
       if(root, r.name, o.name) AS source_name,
       multiIf(NOT root, o.type,
               position(r.user_agent, 'CloudWatchSynthetics') > 0, 'client::Synthetics', 'client')
           AS source_type, if(root, '', o.region) AS source_region,
       r.account AS account, r.name AS name, r.type AS type, r.region AS region, '' AS word, 0 AS active,
       r.trace_id AS trace_id, r.start AS start, r.duration AS duration,
       r.duration AS last_duration, r.state AS state, r.status AS status, r.exception AS exception,
       r.weight AS weight
FROM (
    SELECT s.trace_id AS trace_id, s.id AS id, s.user_agent AS user_agent,
           s.start AS start, s.duration AS duration, s.state AS state,
           s.status AS status, s.exception AS exception, s.weight AS weight, s.account AS account,
           s.name AS name, s.type AS type, s.region AS region, h.id AS containing_id, h.member = 0 AS root
    FROM without_call_parent AS s
    LEFT ANY JOIN containing_documents AS h ON s.trace_id = h.trace_id AND s.parent_id = h.member
) AS r
LEFT ANY JOIN owning_segments AS o ON r.trace_id = o.trace_id AND r.containing_id = o.document_id
WHERE if(root, (r.trace_id, r.id) NOT IN (SELECT trace_id, id FROM caused_documents), notEmpty(o.name))
UNION ALL
-- Links between traces; the duration is the age of the event.
SELECT 2 AS kind,
       if(upstream = 1, other_account, own_account) AS source_account,
       if(upstream = 1, other_name, own_name) AS source_name,
       if(upstream = 1, other_type, own_type) AS source_type,
       if(upstream = 1, other_region, own_region) AS source_region,
       if(upstream = 1, own_account, other_account) AS account,
       if(upstream = 1, own_name, other_name) AS name,
       if(upstream = 1, own_type, other_type) AS type,
       if(upstream = 1, own_region, other_region) AS region,
       '' AS word, 0 AS active, trace_id, start,
       greatest(0, if(upstream = 1, if(event_received != 0, event_received, start) - other_end,
                      event_received - (start + length))) AS duration,
       duration AS last_duration, state, status, exception, weight
FROM (
    SELECT l.trace_id AS trace_id, l.start AS start, l.duration AS length, l.state AS state,
           l.status AS status, l.exception AS exception, l.upstream AS upstream,
           l.weight AS weight, l.event_received AS event_received, e.end AS other_end,
           e.account AS other_account, e.name AS other_name, e.type AS other_type,
           e.region AS other_region,
           if(l.independent = 1, o.account, l.account) AS own_account,
           if(l.independent = 1, o.name, l.name) AS own_name,
           if(l.independent = 1, o.type, l.type) AS own_type,
           if(l.independent = 1, o.region, l.region) AS own_region
    FROM links_in_scope AS l
    INNER JOIN link_ends AS e ON l.other_trace = e.trace_id AND l.other_id = e.id
    LEFT ANY JOIN owning_segments AS o ON l.trace_id = o.trace_id AND l.document_id = o.document_id
)
WHERE notEmpty(own_name)
