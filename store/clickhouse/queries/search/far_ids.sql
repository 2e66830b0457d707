-- Ids of the traces of a range with rows outside of the minutes near it, in the columns of candidates.sql.
SELECT hex(trace_id), toInt64(0), emptyArrayUInt64(), 0 FROM ($far) GROUP BY trace_id LIMIT {most:UInt64}
