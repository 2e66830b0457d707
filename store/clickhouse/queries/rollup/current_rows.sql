-- The fingerprint of the rows of buckets, and how many names of nodes they have. Each table is
-- grouped by itself: few rows remain to be added up, and no row has an array of its names.
SELECT bucket, sum(rows), sum(checksum), min(oldest), min(low), max(high), uniqExactArray(names)
FROM (
    SELECT bucket, count() AS rows, sum(toUInt64(inserted)) AS checksum, toUnixTimestamp(min(received)) AS oldest,
           min(start) AS low, max(start) AS high,
           arrayConcat(groupUniqArrayIf(cityHash64(account, name), independent = $Independent.NO),
                       groupUniqArrayIf(cityHash64(before_account, before_name), independent = $Independent.NO AND before_name != '')) AS names
    FROM segments WHERE $rows AND $not_pinned_copy GROUP BY bucket
    UNION ALL
    SELECT bucket, count(), sum(toUInt64(inserted)), toUnixTimestamp(min(received)), min(start), max(start),
           arrayConcat(groupUniqArray(cityHash64(account, name)),
                       groupUniqArrayIf(cityHash64(owner_account, owner_name), independent != $Independent.OF_PARENT))
    FROM calls WHERE $rows AND $not_pinned_copy GROUP BY bucket
    UNION ALL
    SELECT bucket, count(), sum(toUInt64(inserted)), toUnixTimestamp(min(received)), min(start), max(start), []
    FROM links WHERE $rows AND $not_pinned_copy GROUP BY bucket
)
GROUP BY bucket
