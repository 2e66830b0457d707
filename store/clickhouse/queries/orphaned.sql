-- Segments of :own whose parent is no call: roots, and children of a segment or of a local subsegment.
SELECT s.trace_id AS trace_id, s.id AS id, s.parent_id AS parent_id, s.start AS start,
       s.duration AS duration, s.state AS state, s.status AS status, s.exception AS exception,
       s.account AS account, s.name AS name, s.type AS type
FROM (SELECT * FROM segments FINAL WHERE :own AND independent = 0) AS s
LEFT ANTI JOIN (SELECT trace_id, id FROM calls WHERE :near AND :whole) AS p
    ON s.trace_id = p.trace_id AND s.parent_id = p.id
