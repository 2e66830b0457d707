-- The newest marker of each minute.
SELECT bucket, argMax((counted_at, rows, checksum, toUnixTimestamp(oldest), start, end), rev) FROM rollups
WHERE width = 1 AND kind = 255 AND $slots GROUP BY bucket
