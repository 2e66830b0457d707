-- Rows of the map, the first and last time they count (epoch seconds), and when the oldest was written.
SELECT count(), min(bucket) * 60, max(bucket + width) * 60, toUnixTimestamp(min(written_at))
FROM rollups
WHERE $kind AND $condition
