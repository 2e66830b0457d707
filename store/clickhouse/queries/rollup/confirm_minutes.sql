-- Writes the rollups of minutes again under a new revision.
INSERT INTO rollups /*include rollup/single_part*/ SELECT * REPLACE ({rev:UInt64} AS rev) FROM rollups AS r
WHERE width = 1 AND $slots AND (bucket, r.rev) IN (
    SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND $slots GROUP BY bucket
)
