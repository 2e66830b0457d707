SELECT id, mapFromArrays(groupArray(time), groupArray(units)) FROM (
    SELECT cityHash64(kind, source_account, source_name, source_type, source_region, account, name, type, region) AS id, time, sum(count) AS units FROM rollups
    ARRAY JOIN mapKeys(histogram) AS time, mapValues(histogram) AS count
    WHERE kind < 255 AND <slots> AND (width, bucket, rev) IN (
    SELECT width, bucket, max(rev) FROM rollups WHERE kind = 255 AND <slots> GROUP BY width, bucket
)
    GROUP BY id, time
)
GROUP BY id
