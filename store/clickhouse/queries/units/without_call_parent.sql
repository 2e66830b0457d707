-- Segments of $target whose parent is not a call.
SELECT s.trace_id AS trace_id, s.id AS id, s.parent_id AS parent_id, s.start AS start,
       s.duration AS duration, s.state AS state, s.status AS status, s.exception AS exception,
       s.weight AS weight, s.user_agent AS user_agent,
       s.account AS account, s.name AS name, s.type AS type, s.region AS region
FROM (
    SELECT * FROM segments FINAL
    WHERE $target AND $newest_segments AND independent = 0 AND parent_id != 0
      AND (trace_id, id) IN (SELECT trace_id, id FROM unresolved_parents WHERE independent = 0)
) AS s
LEFT ANTI JOIN (
    SELECT trace_id, id FROM calls
    WHERE $input AND $has_document_there AND trace_id IN (SELECT trace_id FROM unresolved_parents WHERE independent = 0)
) AS p ON s.trace_id = p.trace_id AND s.parent_id = p.id
