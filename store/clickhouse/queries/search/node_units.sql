-- The units of some nodes in traces (store.units): the work of their segments, and calls to them that no segment
-- answered. By trace their number and the worst state. $located finds the traces' rows; $meant: whether a row is
-- such a unit; the newest copy of a row decides, wherever the copies start.
SELECT hex(trace_id), sum(weight), max(state)
FROM (
    SELECT trace_id, weight, state FROM (/*include search/newest_segments*/)
    WHERE independent = 0 AND $meant
    UNION ALL
    SELECT trace_id, weight, state FROM (
        SELECT trace_id, id, start, state, account, name, type, region, exception, status, weight FROM calls
        WHERE $located ORDER BY ver DESC LIMIT 1 BY trace_id, id
    )
    WHERE $meant
      AND trace_id IN (SELECT trace_id FROM segments WHERE $located)
      AND (trace_id, id) NOT IN (
          SELECT trace_id, parent_id FROM (/*include search/newest_segments*/) WHERE independent = 0
      )
)
WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE trace_id IN {ids:Array(FixedString(16))} GROUP BY trace_id HAVING max(sampled) = 1
)
GROUP BY trace_id
