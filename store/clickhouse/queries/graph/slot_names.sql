-- What `named` of some rows of slot_sums stands for, by their ids. The names of a series are those in one part.
SELECT cityHash64(kind, /*include units/key*/, names_) AS named, kind, /*include units/key*/, names_ FROM (
    SELECT $part AS part, kind, /*include units/key*/, arraySort(groupUniqArrayArray(names)) AS names_
    FROM rollups WHERE kind IN ($series_kinds) AND $slots AND $revisions
        AND cityHash64($part, kind, /*include units/key*/) IN {ids:Array(UInt64)}
    GROUP BY part, kind, /*include units/key*/
)
