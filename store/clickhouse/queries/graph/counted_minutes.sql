-- How many of some minutes have counts.
SELECT uniqExact(bucket) FROM rollups
WHERE width = 1 AND kind = 0 AND bucket BETWEEN {first:UInt32} AND {last:UInt32} AND /*include graph/current_minutes*/
