SELECT DISTINCT hex(trace_id), bucket FROM traces
WHERE trace_id IN {ids:Array(FixedString(16))} AND bucket IN (<buckets>)
