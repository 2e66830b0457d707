SELECT count(), min(bucket) * 60, max(bucket + width) * 60, toUnixTimestamp(min(written_at))
FROM rollups
WHERE <kind> AND <condition>
