-- The number of minutes that wide buckets were built from.
SELECT width, bucket, argMax(rows, rev) FROM rollups
WHERE width > 1 AND kind = $marker AND (width, bucket) IN ($wides) GROUP BY width, bucket
