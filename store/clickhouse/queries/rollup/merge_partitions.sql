-- Writes the rollup of a minute as the sum of its partitions, with its markers.
INSERT INTO rollups (/*include rollup/insert_columns*/) /*include rollup/single_part*/
SELECT toUInt16(1) AS width_, kind, bucket, /*include units/key*/, /*include units/column_aliases*/, /*include rollup/unmarked_columns*/
FROM (
    SELECT kind, bucket, /*include units/key*/, /*include units/sums*/ FROM partition_rollups
    WHERE bucket = {minute:UInt32} AND kind < 255 AND (partition, rev) IN ($revisions) GROUP BY kind, bucket, /*include units/key*/
)
UNION ALL /*include rollup/markers*/
