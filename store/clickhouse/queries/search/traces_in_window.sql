-- Ids of the traces with anything that starts in a window.
SELECT DISTINCT hex(trace_id) FROM (
    SELECT trace_id FROM segments
    WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND start >= {start:Int64} AND start < {end:Int64}
    UNION ALL
    SELECT trace_id FROM calls
    WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND start >= {start:Int64} AND start < {end:Int64}
)
WHERE $condition
LIMIT {most:UInt32}
