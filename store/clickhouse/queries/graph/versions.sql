-- The newest revision of each slot that overlaps a range of minutes, and the buckets that a minute was added up from.
SELECT width, bucket, argMax(complete, rev), argMax(start, rev), argMax(end, rev), argMax((buckets, revisions, rows), rev), max(rev) FROM rollups
WHERE kind = $marker AND bucket >= {first:Int64} AND bucket <= {last:Int64} AND $which
GROUP BY width, bucket
