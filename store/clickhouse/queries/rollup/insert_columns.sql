-- Columns of `rollups` that an insert fills.
width, kind, bucket, /*include units/key*/, /*include units/columns*/, complete, rows, oldest, checksum, counted_at, rev
