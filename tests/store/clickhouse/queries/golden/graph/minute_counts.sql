SELECT bucket, reinterpret(groupArray(id), 'String'), reinterpret(groupArray(ok), 'String'), reinterpret(groupArray(error), 'String'),
       reinterpret(groupArray(throttle), 'String'), reinterpret(groupArray(fault), 'String'), reinterpret(groupArray(in_progress), 'String'),
       reinterpret(groupArray(observed), 'String'), reinterpret(groupArray(toUInt64(length(histogram))), 'String'),
       reinterpret(groupArrayArray(CAST(mapKeys(histogram), 'Array(Float32)')), 'String'),
       reinterpret(groupArrayArray(CAST(mapValues(histogram), 'Array(Float32)')), 'String')
FROM (
    SELECT bucket, cityHash64(kind, if(startsWith(source_account, 'unconfirmed '), replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account)), source_name, source_type, source_region, account, name, type, region) AS id, ok, error, throttle, fault, in_progress, observed, histogram
    FROM rollups
    WHERE width = 1 AND kind < 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND (bucket, rev) IN (
    SELECT bucket, max(rev) FROM rollups
    WHERE width = 1 AND kind = 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY bucket
)
)
GROUP BY bucket ORDER BY bucket
