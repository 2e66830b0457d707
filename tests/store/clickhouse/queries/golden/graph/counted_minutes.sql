SELECT uniqExact(bucket) FROM rollups
WHERE width = 1 AND kind = 0 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND (bucket, rev) IN (
    SELECT bucket, max(rev) FROM rollups
    WHERE width = 1 AND kind = 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY bucket
)
