-- Columns of `rollups` that an insert fills.
width, kind, bucket, /*include units/key*/, /*include units/columns per_trace=trace_minutes*/, complete, rows, oldest, checksum, buckets, revisions, rev
