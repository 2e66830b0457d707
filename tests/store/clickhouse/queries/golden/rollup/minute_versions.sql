SELECT bucket, argMax((rows, checksum, toUnixTimestamp(oldest), start, end), rev), argMax((buckets, revisions), rev)
FROM rollups WHERE width = 1 AND kind = 255 AND <minutes> GROUP BY bucket
