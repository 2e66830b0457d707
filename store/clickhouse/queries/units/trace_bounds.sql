-- The first and last instant of the traces in a window and of those that they link to.
SELECT min(lo), max(hi) FROM traces WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE lo < {end:Int64} AND hi >= {start:Int64}
    UNION ALL
    SELECT other_trace FROM links WHERE $minutes
)
