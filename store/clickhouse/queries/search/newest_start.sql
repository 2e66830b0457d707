-- The start of the bucket before which so many segments of a window are newer; no row if there are fewer.
SELECT bucket * $bucket_width FROM segments
WHERE minute BETWEEN {first:UInt64} AND {last:UInt64} AND start < {end:Int64}
ORDER BY minute DESC, bucket DESC LIMIT 1 OFFSET {offset:UInt64}
