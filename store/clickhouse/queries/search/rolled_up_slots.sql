-- What the rollups of some minutes, or wider slots, say of the units of some nodes or edges: 0: there are none, 1:
-- there may be some, 2: the slot is out of date. Superseded revisions are read, too: they add to what may be.
SELECT bucket, max(verdict) FROM (
    SELECT bucket, if(argMax(complete, rev) = 1, 0, 2) AS verdict FROM rollups
    WHERE width = {width:UInt16} AND kind = 255 AND $slots GROUP BY bucket
    UNION ALL
    SELECT bucket, 1 AS verdict FROM rollups WHERE width = {width:UInt16} AND kind IN (0, 1) AND $slots AND $units
)
GROUP BY bucket
