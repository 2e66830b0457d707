-- How many of some minutes have been counted: each has rows that say by which revision.
SELECT uniqExact(bucket) FROM rollups
WHERE width = 1 AND kind = $marker AND bucket BETWEEN {first:UInt32} AND {last:UInt32}
