-- The first lines of one kind of the platform's that were received lately, whenever they were written: the index by arrival
-- leaves the granules of the last minutes. One copy of each, and how many there are.
SELECT /*include logs/members*/, count() OVER () AS total
FROM (
    SELECT *
    FROM log_lines
    WHERE received >= toDateTime({since:UInt32}, 'UTC') AND record = {record:String}
    ORDER BY known DESC
    LIMIT 1 BY minute, name, hash
)
ORDER BY start, hash
LIMIT {most:UInt32}
