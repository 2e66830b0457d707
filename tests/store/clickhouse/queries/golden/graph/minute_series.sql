SELECT DISTINCT cityHash64(kind, if(startsWith(source_account, 'unconfirmed '), replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account)), source_name, source_type, source_region, account, name, type, region) AS id, kind, if(startsWith(source_account, 'unconfirmed '), replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account)) AS settled, source_name, source_type, source_region,
                account, name, type, region
FROM rollups
WHERE width = 1 AND kind < 255 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND id IN {ids:Array(UInt64)}
