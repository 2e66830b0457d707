-- Wide buckets that are out of date, with the number of minutes they were built from and of those there are now.
SELECT bucket, had, have FROM (
    SELECT bucket, argMax(complete, rev) AS whole, argMax(rows, rev) AS had, max(rev) AS newest
    FROM rollups WHERE width = {width:UInt16} AND kind = $marker GROUP BY bucket
) AS wide
LEFT JOIN (
    SELECT intDiv(bucket, {width:UInt16}) * {width:UInt16} AS bucket, uniqExact(rollups.bucket) AS have
    FROM rollups WHERE width = 1 AND kind = $marker GROUP BY bucket
) AS narrow USING bucket
WHERE whole = 0 AND intDiv(newest, 1024) < {before:Int64} AND (bucket + {width:UInt16}) * $minute < {before:Int64}
ORDER BY bucket DESC LIMIT 200
