-- The aggregates of buckets at some revisions, of the nodes and edges that match $key.
SELECT toUInt32(intDiv(bucket, 12)) AS minute, kind, /*include units/key*/, /*include units/columns per_trace=traces*/
FROM bucket_rollups WHERE kind IN ($series_kinds) AND (bucket, rev) IN ($revisions) AND $key
