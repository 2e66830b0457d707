-- One row per unit of work of a node that started in [:from, :to): segments, and calls that no
-- segment of the trace names as its parent (inferred nodes). The rules are those of store/edges.py.
-- :lo and :hi bound the starts of everything in the traces that touch the window.
SELECT trace_id, account, name, type, service, inferred = 0 AS active,
       start, duration, last_duration, state, status, exception
FROM segments FINAL
WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
  AND start >= :from AND start < :to AND independent = 0
UNION ALL
SELECT trace_id, account, name, type, service, 0 AS active,
       start, duration, duration AS last_duration, state, status, exception
FROM (
    SELECT * FROM calls FINAL
    WHERE minute BETWEEN intDiv(:from, 60000000) AND intDiv(:to, 60000000)
      AND start >= :from AND start < :to AND :whole
) AS c
LEFT ANTI JOIN (
    SELECT trace_id, parent_id FROM segments FINAL
    WHERE minute BETWEEN intDiv(:lo, 60000000) AND intDiv(:hi, 60000000)
      AND independent = 0 AND parent_id != 0
) AS answer ON c.trace_id = answer.trace_id AND c.id = answer.parent_id
