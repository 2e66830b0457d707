-- The first lines of a trace, of requests, and of stretches of log streams those without a
-- request; one copy of each, and how many there are. The window's minutes are a range of the key, and in it the bloom filters leave a few granules.
SELECT /*include logs/members*/, count() OVER () AS total
FROM (
    SELECT *
    FROM log_lines
    WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND start >= {start:Int64} AND start < {end:Int64}
      AND ((trace_id = {trace:FixedString(16)} AND trace_id != {no_trace:FixedString(16)})
        OR (request_id != '' AND request_id IN {requests:Array(String)})
        OR (request_id = '' AND arrayExists(span -> span.1 = log_stream AND start BETWEEN span.2 AND span.3,
                                            {streams:Array(Tuple(String, Int64, Int64))})))
      AND (NOT {failed:UInt8} OR failure != '')
    ORDER BY known DESC
    LIMIT 1 BY minute, name, hash
)
ORDER BY start, hash
LIMIT {most:UInt32}
