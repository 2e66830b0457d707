-- Traces with rows that may be units of a node or an edge, the latest row first. Each table is read by its
-- key, the minute, and by small columns only.
SELECT hex(trace_id), max(start) AS at FROM ($rows)
GROUP BY trace_id
HAVING (at, trace_id) < ({before_at:Int64}, {before_id:FixedString(16)})
ORDER BY at DESC, trace_id DESC LIMIT {size:UInt64}
