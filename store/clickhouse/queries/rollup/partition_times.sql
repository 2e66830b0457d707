-- When the partitions of minutes were aggregated, microseconds since the epoch.
SELECT bucket, partition, intDiv(max(rev), 1024) FROM partition_rollups
WHERE $slots AND kind = 255 AND written_at > now() - 3600 GROUP BY bucket, partition
