-- Wide buckets inside a range of minutes that are up to date.
SELECT width, bucket FROM (
    SELECT width, bucket, argMax(complete, rev) AS whole FROM rollups
    WHERE width > 1 AND kind = $marker AND bucket >= {first:Int64} AND bucket + width - 1 <= {last:Int64}
    GROUP BY width, bucket
)
WHERE whole = 1 ORDER BY width, bucket
