INSERT INTO rollups SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_insert_threads = 1 SELECT * REPLACE ({rev:UInt64} AS rev) FROM rollups AS r
WHERE width = {width:UInt16} AND kind < 255 AND bucket IN (<wides>) AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = {width:UInt16} AND kind < 255 GROUP BY bucket
)
UNION ALL
SELECT * REPLACE (1 AS complete, {rev:UInt64} AS rev) FROM rollups FINAL
WHERE width = {width:UInt16} AND kind = 255 AND bucket IN (<wides>)
