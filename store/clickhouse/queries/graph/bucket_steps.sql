-- Sums over buckets at some revisions per step, of the units that match $key. The traces in a step are not counted.
SELECT intDiv(toInt64(bucket) * $bucket_width, {step:Int64}) AS number, /*include units/sums per_trace=0*/ FROM bucket_rollups
WHERE kind IN ($series_kinds) AND (bucket, rev) IN ($revisions) AND $key
GROUP BY number
