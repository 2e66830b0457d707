-- Links of documents in :own, but those from above that the other end has told of itself: the
-- receiver's word counts, once.
SELECT l.trace_id AS trace_id, l.document_id AS document_id, l.independent AS independent,
       l.other_trace AS other_trace, l.other_id AS other_id, l.upstream AS upstream,
       l.event_received AS event_received, l.start AS start, l.duration AS duration,
       l.state AS state, l.status AS status, l.exception AS exception, l.weight AS weight,
       l.account AS account, l.name AS name, l.type AS type
FROM (SELECT * FROM links FINAL WHERE :own AND :newest_links AND :whole) AS l
LEFT ANTI JOIN (
    SELECT trace_id, other_trace, toUInt8(0) AS direction FROM links
    WHERE :near AND upstream = 1
) AS told ON l.trace_id = told.other_trace AND l.other_trace = told.trace_id
         AND l.upstream = told.direction
