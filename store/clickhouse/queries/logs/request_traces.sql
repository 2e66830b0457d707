-- The traces that lines name, by their requests of Lambda. The window's minutes are a range of the key, and in it the bloom
-- filter leaves a few granules.
SELECT request_id, any(hex(trace_id))
FROM log_lines
WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND start >= {start:Int64} AND start < {end:Int64}
  AND request_id != '' AND request_id IN {requests:Array(String)} AND trace_id != {no_trace:FixedString(16)}
GROUP BY request_id
