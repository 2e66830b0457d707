-- The counts of minutes, a row each: columns of numbers (`store.minutes.MinuteCounts`), one array after the other in the binary
-- format, so that reading them takes no loop over values. The arrays of a group have one order.
SELECT bucket, formatRow('RowBinary', groupArray(id), groupArray(ok), groupArray(error), groupArray(throttle), groupArray(fault),
                         groupArray(in_progress), groupArray(observed), groupArray(toUInt64(length(histogram))),
                         groupArrayArray(CAST(mapKeys(histogram), 'Array(Float32)')),
                         groupArrayArray(CAST(mapValues(histogram), 'Array(Float32)')))
FROM (
    SELECT bucket, /*include graph/series_id*/ AS id, ok, error, throttle, fault, in_progress, observed, histogram
    FROM rollups
    WHERE width = 1 AND kind < 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND /*include graph/current_minutes*/
)
GROUP BY bucket ORDER BY bucket
