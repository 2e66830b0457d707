INSERT INTO rollups SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_insert_threads = 1 SELECT * REPLACE ({rev:UInt64} AS rev) FROM rollups AS r
WHERE width = 1 AND <slots> AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND <slots> GROUP BY bucket
)
