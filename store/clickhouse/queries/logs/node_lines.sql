-- The last lines of the nodes with a name, one copy of each, and how many there are: a range of the key.
SELECT /*include logs/members*/, count() OVER () AS total
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
