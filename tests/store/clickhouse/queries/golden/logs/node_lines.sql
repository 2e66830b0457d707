WITH of_node AS (
    SELECT *
    FROM log_lines
    WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND name IN {names:Array(String)}
      AND start >= {start:Int64} AND start < {end:Int64}
      AND ({of_traces:UInt8} OR ({record:String} IN ('', record) AND (NOT {failed:UInt8} OR failure != '')))
    ORDER BY known DESC
    LIMIT 1 BY minute, name, hash
)
SELECT start, body, name, type, account, region, request_id, hex(trace_id), span_id, severity, record, log_group, log_stream,
       source, ordinal, failure, count() OVER () AS total
FROM of_node
WHERE {account:String} IN ('', account) AND {region:String} IN ('', region)
  AND {record:String} IN ('', record) AND (NOT {failed:UInt8} OR failure != '')
  AND (NOT {of_traces:UInt8} OR trace_id IN {traces:Array(FixedString(16))}
    OR (request_id != '' AND request_id IN (
        SELECT request_id FROM of_node WHERE trace_id IN {traces:Array(FixedString(16))})))
ORDER BY start DESC, hash DESC
LIMIT {most:UInt32}
