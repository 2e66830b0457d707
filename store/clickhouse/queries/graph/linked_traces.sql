-- The traces at the other ends of links from or to some traces, which traces name that they caused something in them.
SELECT hex(other_trace), 0 AS sender FROM links WHERE $places
UNION DISTINCT
SELECT hex(trace_id), 1 FROM links
WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))} AND $not_pinned_copy
