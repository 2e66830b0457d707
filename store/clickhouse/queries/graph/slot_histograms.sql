-- The histograms of slot_sums, in a concurrent statement: summing maps takes most of the time. A marker counts itself.
SELECT id, sumMap(times) FROM (
    SELECT cityHash64($part, kind, /*include units/key*/) AS id, if(kind = $marker, map(toUInt64(bucket) * 64 + width, toUInt64(1)), histogram) AS times
    FROM rollups WHERE kind IN ($series_kinds, $marker) AND $slots AND $revisions
)
GROUP BY id
