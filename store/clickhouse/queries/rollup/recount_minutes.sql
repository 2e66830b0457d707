-- Writes the aggregates of minutes with their markers.
INSERT INTO rollups (/*include rollup/insert_columns*/) /*include rollup/single_part*/
SELECT toUInt16(1) AS width_, kind, bucket, /*include units/key_aliases*/, /*include units/column_aliases*/, /*include rollup/unmarked_columns*/
FROM (/*include units/count*/)
UNION ALL /*include rollup/markers*/
