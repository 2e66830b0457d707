-- The calls to nodes in traces by trace: id, weight and state; $located and $meant as in node_segments;
-- and whether there are some more that $may lead to one.
SELECT hex(trace_id), groupArrayIf((id, weight, state), $meant), max($may)
FROM (
    SELECT trace_id, id, independent, start, state, account, name, type, region, exception, status, weight
    FROM calls WHERE $located ORDER BY ver DESC LIMIT 1 BY trace_id, id
)
WHERE $meant OR $may
GROUP BY trace_id
