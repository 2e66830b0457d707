SELECT id, sumMap(times) FROM (
    SELECT cityHash64(<part>, kind, source_account, source_name, source_type, source_region, account, name, type, region) AS id, if(kind = 255, map(toUInt64(bucket) * 64 + width, toUInt64(1)), histogram) AS times
    FROM rollups WHERE kind IN (0, 1, 2, 3, 255) AND <slots> AND <revisions>
)
GROUP BY id
