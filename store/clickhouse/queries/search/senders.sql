-- Ids of the traces with links to what they caused in some traces.
SELECT DISTINCT hex(trace_id) FROM links
WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))}
