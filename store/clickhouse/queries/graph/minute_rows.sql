-- The number of rows of minutes, and their first and last start.
SELECT bucket, argMax(rows, rev) AS length, argMax(start, rev), argMax(end, rev) FROM rollups
WHERE width = 1 AND kind = 255 AND $slots GROUP BY bucket
