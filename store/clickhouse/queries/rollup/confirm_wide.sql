-- Writes the last contents of wide buckets again under a new revision.
INSERT INTO rollups /*include rollup/single_part*/ SELECT * REPLACE ({rev:UInt64} AS rev) FROM rollups AS r
WHERE width = {width:UInt16} AND kind < $marker AND bucket IN ($wides) AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = {width:UInt16} AND kind < $marker GROUP BY bucket
)
UNION ALL
SELECT * REPLACE (1 AS complete, {rev:UInt64} AS rev) FROM rollups FINAL
WHERE width = {width:UInt16} AND kind = $marker AND bucket IN ($wides)
