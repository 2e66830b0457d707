-- Traces with a segment of a service of this name, the newest first. The table is read backwards until there are enough.
SELECT hex(trace_id) FROM segments
WHERE $rows AND service = {name:String} AND independent = 0 AND inferred = 0 AND sampled = 1
ORDER BY minute DESC, bucket DESC LIMIT 1 BY trace_id LIMIT {size:UInt64}
