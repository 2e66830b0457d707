WITH failed AS (
    SELECT request_id, minute
    FROM log_lines
    WHERE received >= toDateTime({since:UInt32}, 'UTC') AND failure != '' AND request_id != ''
)
SELECT DISTINCT hex(trace_id), request_id
FROM log_lines
WHERE minute BETWEEN (SELECT min(minute) FROM failed) - 20 AND (SELECT max(minute) FROM failed) + 20
  AND request_id IN (SELECT request_id FROM failed) AND trace_id != {no_trace:FixedString(16)}
