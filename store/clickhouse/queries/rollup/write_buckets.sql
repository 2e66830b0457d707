-- Writes aggregates of buckets that were counted in Python, and their versions.
INSERT INTO bucket_rollups (bucket, kind, /*include units/key*/, /*include units/columns per_trace=traces*/, rows, oldest, checksum, far_rows, far_checksum, named, excess, rev) VALUES
