-- What the numbers of series in some minutes stand for.
SELECT DISTINCT /*include graph/series_id*/ AS id, kind, $settled_account AS settled, source_name, source_type, source_region,
                account, name, type, region
FROM rollups
WHERE width = 1 AND kind < $marker AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND id IN {ids:Array(UInt64)}
