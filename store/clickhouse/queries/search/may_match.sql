-- Those of some traces that meet a condition.
SELECT DISTINCT hex(trace_id) FROM traces WHERE trace_id IN {ids:Array(FixedString(16))} AND $may
