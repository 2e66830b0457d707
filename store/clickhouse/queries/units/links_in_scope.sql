-- Links of documents in $target, except those that the sender reports and the receiver has reported too:
-- such a link is counted once, as the receiver reports it. A link belongs to a copy of its document, whose start and
-- `ver` it has: what the newest copy does not mention is left out.
SELECT l.trace_id AS trace_id, l.document_id AS document_id, l.independent AS independent,
       l.other_trace AS other_trace, l.other_id AS other_id, l.upstream AS upstream,
       l.event_received AS event_received, l.start AS start, l.duration AS duration,
       l.state AS state, l.status AS status, l.exception AS exception, l.weight AS weight,
       l.account AS account, l.name AS name, l.type AS type, l.region AS region
FROM (
    SELECT * FROM links FINAL WHERE $target AND (trace_id, document_id, ver) IN (
        SELECT trace_id, id, ver FROM segments FINAL
        WHERE $target AND $newest_segments AND (trace_id, id) IN (SELECT trace_id, document_id FROM links WHERE $target)
    )
) AS l
LEFT ANTI JOIN (
    SELECT trace_id, other_trace, toUInt8(0) AS direction FROM links
    WHERE $input AND upstream = 1 AND (trace_id, document_id, ver) IN (
        SELECT trace_id, id, ver FROM segments FINAL
        WHERE $input AND $newest_segments AND (trace_id, id) IN (
            SELECT trace_id, document_id FROM links WHERE $input AND upstream = 1
        )
    )
) AS reported ON l.trace_id = reported.other_trace AND l.other_trace = reported.trace_id
         AND l.upstream = reported.direction
