-- The newest version of each bucket. Bucket rollups expire after two hours; those of the last hour cannot expire while
-- they are used. The last column: the time now (microseconds).
SELECT bucket, max(rev), argMax((rows, checksum, toUnixTimestamp(oldest), start, end), rev), argMax((far_rows, far_checksum), rev),
       argMax(named, rev), argMax(excess, rev), toUnixTimestamp64Micro(now64(6))
FROM bucket_rollups
WHERE kind = $marker AND $buckets AND written_at > now() - 3600 GROUP BY bucket
