SELECT uniqExact(bucket) FROM rollups
WHERE width = 1 AND kind = 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32}
