-- Documents in $target with links to what caused them, one row for each link, of traces that are resolved by look-ups.
-- `owner`: the case of the segment that the document is or belongs to; 0: none.
SELECT d.key AS key, hex(l.other_trace) AS other_trace, l.other_id AS other_id, l.event_received AS received,
       l.weight AS link_weight, d.case AS case, $owner AS owner, d.refers_to = 0 AND NOT d.streamed AS is_root,
       cityHash64(d.trace_id) AS trace, d.start AS start, d.duration AS duration, d.last_duration AS last_duration,
       d.weight AS weight
FROM (
    SELECT trace_id, bucket, document_id, ver, other_trace, other_id, event_received, weight
    FROM links FINAL WHERE $target AND $not_pinned_copy AND upstream = 1
) AS l
INNER JOIN (
    SELECT key, refers_to, streamed, case, trace_id, bucket, id, ver, start, duration, last_duration, weight
    FROM scope_rows WHERE $target AND NOT is_call AND $plain
) AS d ON l.trace_id = d.trace_id AND l.bucket = d.bucket AND l.document_id = d.id AND l.ver = d.ver
$owners
