-- Ids of the traces of a range with rows outside of the minutes near it.
SELECT hex(trace_id) FROM ($far) GROUP BY trace_id LIMIT {most:UInt64}
