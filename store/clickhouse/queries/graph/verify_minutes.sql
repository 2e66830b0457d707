-- The number of rows that were aggregated and of those that are stored, by minute.
SELECT minute, sum(counted), sum(present) FROM (
    SELECT bucket AS minute, argMax(rows, rev) AS counted, 0 AS present FROM rollups
    WHERE width = 1 AND kind = $marker AND bucket BETWEEN {first:Int64} AND {last:Int64} GROUP BY bucket
    UNION ALL
    SELECT minute, 0 AS counted, count() AS present FROM (
        SELECT minute FROM segments WHERE minute BETWEEN {first:Int64} AND {last:Int64}
        UNION ALL SELECT minute FROM calls WHERE minute BETWEEN {first:Int64} AND {last:Int64}
        UNION ALL SELECT minute FROM links WHERE minute BETWEEN {first:Int64} AND {last:Int64}
    ) GROUP BY minute
)
GROUP BY minute ORDER BY minute
