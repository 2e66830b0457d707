-- Rows of the newest revision of each of some minutes.
(bucket, rev) IN (
    SELECT bucket, max(rev) FROM rollups
    WHERE width = 1 AND kind = $marker AND bucket BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY bucket
)
