-- The work of nodes in traces by trace: its amount, the worst state, and the parents of all segments, which have answered
-- the calls that they name; last those of CONSUMERs, which answer no broker. $located finds the traces' rows; $meant: whether a row is of such a unit; the newest copy of
-- a row decides, wherever the copies start.
SELECT hex(trace_id), sumIf(weight, work), maxIf(state, work), groupArrayIf(parent_id, independent = 0 AND parent_id != 0 AND kind != 5),
       groupArrayIf(parent_id, independent = 0 AND parent_id != 0 AND kind = 5)
FROM (
    SELECT trace_id, parent_id, independent, kind, weight, state, independent = 0 AND $meant AS work
    FROM (
        SELECT trace_id, parent_id, independent, kind, start, state, account, name, type, region, exception, status, weight
        FROM segments WHERE $located ORDER BY ver DESC LIMIT 1 BY trace_id, id
    )
)
WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE trace_id IN {ids:Array(FixedString(16))} GROUP BY trace_id HAVING max(sampled) = 1
)
GROUP BY trace_id
