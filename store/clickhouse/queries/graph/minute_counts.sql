-- The counts of minutes, a row each: columns of numbers (`store.minutes.MinuteCounts`), each array as its bytes, so that neither
-- side loops over values. The arrays of a group have one order.
SELECT bucket, reinterpret(groupArray(id), 'String'), reinterpret(groupArray(ok), 'String'), reinterpret(groupArray(error), 'String'),
       reinterpret(groupArray(throttle), 'String'), reinterpret(groupArray(fault), 'String'), reinterpret(groupArray(in_progress), 'String'),
       reinterpret(groupArray(observed), 'String'), reinterpret(groupArray(toUInt64(length(histogram))), 'String'),
       reinterpret(groupArrayArray(CAST(mapKeys(histogram), 'Array(Float32)')), 'String'),
       reinterpret(groupArrayArray(CAST(mapValues(histogram), 'Array(Float32)')), 'String')
FROM (
    SELECT bucket, /*include graph/series_id*/ AS id, ok, error, throttle, fault, in_progress, observed, histogram
    FROM rollups
    WHERE width = 1 AND kind < $marker AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND /*include graph/current_minutes*/
)
GROUP BY bucket ORDER BY bucket
