-- The calls to nodes in traces by trace: id, weight, state and whether they went to a broker; $located and $meant as in node_segments.
SELECT hex(trace_id), groupArray((id, weight, state, /*include units/is_broker type=type*/))
FROM (
    SELECT trace_id, id, start, state, account, name, type, region, exception, status, weight
    FROM calls WHERE $located ORDER BY ver DESC LIMIT 1 BY trace_id, id
)
WHERE $meant
GROUP BY trace_id
