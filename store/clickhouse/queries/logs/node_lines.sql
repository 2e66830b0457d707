-- The last lines under some names, one copy of each, and how many there are: a range of the key. Of an account,
-- of a region, of a kind, or of requests of some traces: only one line of a request may name its trace. Copies are of
-- one kind, so that lines of a kind alone are read where no trace is given.
WITH of_node AS (
    SELECT *
    FROM log_lines
    WHERE minute BETWEEN {first:UInt32} AND {last:UInt32} AND name IN {names:Array(String)}
      AND start >= {start:Int64} AND start < {end:Int64}
      AND ({of_traces:UInt8} OR ({record:String} IN ('', record) AND (NOT {failed:UInt8} OR failure != '')))
    ORDER BY known DESC
    LIMIT 1 BY minute, name, hash
)
SELECT /*include logs/members*/, count() OVER () AS total
FROM of_node
WHERE {account:String} IN ('', account) AND {region:String} IN ('', region)
  AND {record:String} IN ('', record) AND (NOT {failed:UInt8} OR failure != '')
  AND (NOT {of_traces:UInt8} OR trace_id IN {traces:Array(FixedString(16))}
    OR (request_id != '' AND request_id IN (
        SELECT request_id FROM of_node WHERE trace_id IN {traces:Array(FixedString(16))})))
ORDER BY start DESC, hash DESC
LIMIT {most:UInt32}
