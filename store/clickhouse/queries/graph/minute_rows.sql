-- The number of rows of minutes.
SELECT sum(length) FROM (
    SELECT argMax(rows, rev) AS length FROM rollups
    WHERE width = 1 AND kind = $marker AND bucket BETWEEN {first:Int64} AND {last:Int64} GROUP BY bucket
)
