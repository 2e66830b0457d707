SELECT cityHash64(kind, source_account, source_name, source_type, source_region, account, name, type, region, names_) AS named, kind, source_account, source_name, source_type, source_region, account, name, type, region, names_ FROM (
    SELECT <part> AS part, kind, source_account, source_name, source_type, source_region, account, name, type, region, arraySort(groupUniqArrayArray(names)) AS names_
    FROM rollups WHERE kind IN (0, 1, 2, 3) AND <slots> AND <revisions>
        AND cityHash64(<part>, kind, source_account, source_name, source_type, source_region, account, name, type, region) IN {ids:Array(UInt64)}
    GROUP BY part, kind, source_account, source_name, source_type, source_region, account, name, type, region
)
