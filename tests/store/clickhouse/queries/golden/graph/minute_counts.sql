SELECT bucket, formatRow('RowBinary', groupArray(id), groupArray(ok), groupArray(error), groupArray(throttle), groupArray(fault),
                         groupArray(in_progress), groupArray(observed), groupArray(toUInt64(length(histogram))),
                         groupArrayArray(CAST(mapKeys(histogram), 'Array(Float32)')),
                         groupArrayArray(CAST(mapValues(histogram), 'Array(Float32)')))
FROM (
    SELECT bucket, cityHash64(kind, if(startsWith(source_account, 'unconfirmed '), replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account)), source_name, source_type, source_region, account, name, type, region) AS id, ok, error, throttle, fault, in_progress, observed, histogram
    FROM rollups
    WHERE width = 1 AND kind < 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND (bucket, rev) IN (
    SELECT bucket, max(rev) FROM rollups
    WHERE width = 1 AND kind = 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY bucket
)
)
GROUP BY bucket ORDER BY bucket
