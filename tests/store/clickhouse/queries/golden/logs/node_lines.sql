SELECT start, body, name, type, account, region, request_id, hex(trace_id), span_id, severity, record, log_group, log_stream,
       source, ordinal, count() OVER () AS total
FROM (
    SELECT *
    FROM log_lines
    WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND name = {name:String}
      AND start >= {start:Int64} AND start < {end:Int64}
    ORDER BY known DESC
    LIMIT 1 BY minute, name, hash
)
ORDER BY start DESC, hash DESC
LIMIT {most:UInt32}
