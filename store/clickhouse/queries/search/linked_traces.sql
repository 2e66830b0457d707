-- Of some traces those with links to what caused a segment, and those that a sender names: background work may be none.
SELECT hex(trace_id) FROM links WHERE upstream = 1 AND trace_id IN {ids:Array(FixedString(16))}
UNION ALL
SELECT hex(other_trace) FROM links WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))}
