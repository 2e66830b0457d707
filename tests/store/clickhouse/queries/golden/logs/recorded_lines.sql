SELECT start, body, name, type, account, region, request_id, hex(trace_id), span_id, severity, record, log_group, log_stream,
       source, ordinal, failure, count() OVER () AS total
FROM (
    SELECT *
    FROM log_lines
    WHERE received >= toDateTime({since:UInt32}, 'UTC') AND record = {record:String}
    ORDER BY known DESC
    LIMIT 1 BY minute, name, hash
)
ORDER BY start, hash
LIMIT {most:UInt32}
