SELECT bucket, count(), sum(toUInt64(inserted)), toUnixTimestamp(min(received)), min(start), max(start),
       max(weight), uniqExactArray(names)
FROM (
    SELECT bucket, inserted, received, start, weight,
           if(independent = 0, [cityHash64(account, name)], []) AS names
    FROM segments WHERE <rows> AND <not_pinned_copy>
    UNION ALL
    SELECT bucket, inserted, received, start, weight,
           if(independent = 0, [cityHash64(account, name), cityHash64(owner_account, owner_name)],
              [cityHash64(account, name)]) AS names
    FROM calls WHERE <rows> AND <not_pinned_copy>
    UNION ALL
    SELECT bucket, inserted, received, start, weight, [] AS names FROM links WHERE <rows> AND <not_pinned_copy>
)
GROUP BY bucket
