-- The newest version of each minute.
SELECT bucket, argMax((rows, checksum, toUnixTimestamp(oldest), start, end), rev), argMax((buckets, revisions), rev)
FROM rollups WHERE width = 1 AND kind = $marker AND $minutes GROUP BY bucket
