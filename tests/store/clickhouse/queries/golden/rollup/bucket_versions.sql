SELECT bucket, max(rev), argMax((rows, checksum, toUnixTimestamp(oldest), start, end), rev), argMax((far_rows, far_checksum), rev),
       argMax(named, rev), argMax(excess, rev), toUnixTimestamp64Micro(now64(6))
FROM bucket_rollups
WHERE kind = 255 AND <buckets> AND written_at > now() - 3600 GROUP BY bucket
