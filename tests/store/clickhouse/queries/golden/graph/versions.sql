SELECT width, bucket, argMax(complete, rev), argMax(start, rev), argMax(end, rev), argMax((buckets, revisions, rows), rev), max(rev) FROM rollups
WHERE kind = 255 AND bucket >= {first:Int64} AND bucket <= {last:Int64} AND <which>
GROUP BY width, bucket
