-- What the rollups of some minutes, or wider slots, say of the units of some nodes or edges: whether the slot is out of
-- date, and how many of its units there are at most. Superseded revisions are read, too: they add to what may be.
SELECT bucket, max(outdated) AS outdated, sum(found) AS found FROM (
    SELECT bucket, argMax(complete, rev) = 0 AS outdated, toUInt64(0) AS found FROM rollups
    WHERE width = {width:UInt16} AND kind = $marker AND $slots GROUP BY bucket
    UNION ALL
    SELECT bucket, 0 AS outdated, toUInt64($number) AS found FROM rollups
    WHERE width = {width:UInt16} AND kind IN ($SeriesKind.NODE, $SeriesKind.CALLS, $SeriesKind.BACKGROUND) AND $slots AND $condition
)
GROUP BY bucket
