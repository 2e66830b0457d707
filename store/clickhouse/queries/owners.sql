-- Kinship (store.edges.Family). `holders`: which document is, or embeds, each id; a segment before
-- independent subsegments, then the smallest document id. `owners`: the segment reached from each
-- independent subsegment, parent by parent; at most :climb steps, so that a circle ends.
-- A document that came as a subsegment first and as a segment last is a segment, its own owner.
-- Only traces that need it: those with a streamed call in the window, and those of segments in the
-- window whose parent is no call.
orphaned AS (
    SELECT s.trace_id AS trace_id, s.id AS id, s.parent_id AS parent_id, s.start AS start,
           s.duration AS duration, s.state AS state, s.status AS status, s.exception AS exception,
           s.account AS account, s.name AS name, s.type AS type
    FROM (
        SELECT * FROM segments FINAL
        WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
          AND start >= :from AND start < :to AND independent = 0
    ) AS s
    LEFT ANTI JOIN (
        SELECT trace_id, id FROM calls
        WHERE minute BETWEEN intDiv(:lo, 60000000) AND intDiv(:hi, 60000000)
    ) AS p ON s.trace_id = p.trace_id AND s.parent_id = p.id
),
kin AS (
    SELECT trace_id, id, parent_id, independent, members, account, name, type
    FROM segments FINAL
    WHERE minute BETWEEN intDiv(:lo, 60000000) AND intDiv(:hi, 60000000)
      AND (trace_id IN (SELECT trace_id FROM orphaned WHERE parent_id != 0)
        OR trace_id IN (SELECT trace_id FROM calls
                        WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
                          AND independent = 1))
),
holders AS (
    SELECT trace_id, member,
           argMin((id, parent_id, independent, account, name, type), (independent, id)) AS holder
    FROM kin ARRAY JOIN arrayPushFront(members, id) AS member
    GROUP BY trace_id, member
),
climb AS (
    SELECT trace_id, id AS document_id, parent_id AS at, 1 AS depth FROM kin WHERE independent = 1
    UNION ALL
    SELECT c.trace_id AS trace_id, c.document_id AS document_id, h.holder.2 AS at, c.depth + 1 AS depth
    FROM climb AS c INNER JOIN holders AS h ON c.trace_id = h.trace_id AND c.at = h.member
    WHERE h.holder.3 = 1 AND c.depth < :climb
),
owners AS (
    SELECT c.trace_id AS trace_id, c.document_id AS document_id,
           any((h.holder.4, h.holder.5, h.holder.6)) AS node
    FROM climb AS c INNER JOIN holders AS h ON c.trace_id = h.trace_id AND c.at = h.member
    WHERE h.holder.3 = 0
    GROUP BY trace_id, document_id
    UNION ALL
    SELECT trace_id, id AS document_id, (account, name, type) AS node FROM kin WHERE independent = 0
)
