-- The histograms of rolled_up, in a concurrent statement: summing maps takes most of the time, this halves it.
SELECT id, mapFromArrays(groupArray(time), groupArray(units)) FROM (
    SELECT cityHash64(kind, /*include units/key*/) AS id, time, sum(count) AS units FROM rollups
    ARRAY JOIN mapKeys(histogram) AS time, mapValues(histogram) AS count
    WHERE kind < $marker AND $slots AND /*include graph/current_versions*/
    GROUP BY id, time
)
GROUP BY id
