-- Writes wide buckets as the sums of their minutes.
INSERT INTO rollups (/*include rollup/insert_columns*/) /*include rollup/single_part*/
SELECT toUInt16({width:UInt16}) AS width_, kind, wide, /*include units/key*/, /*include units/column_aliases per_trace=per_trace_*/, /*include rollup/unmarked_columns*/
FROM (
    SELECT kind, intDiv(bucket, {width:UInt16}) * {width:UInt16} AS wide, /*include units/key*/, /*include units/sums per_trace=sum(trace_minutes)*/
    FROM (SELECT * REPLACE ($settled_account AS source_account) FROM rollups) AS rollups
    WHERE width = 1 AND kind < $marker AND $slots AND (bucket, rev) IN (
        SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = $marker AND $slots GROUP BY bucket
    )
    GROUP BY kind, wide, /*include units/key*/
)
UNION ALL
SELECT toUInt16({width:UInt16}), $marker, bucket, '', '', '', '', '', '', '', '', [], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       1, rows, toDateTime(0), 0, 0, 0, {rev:UInt64}
FROM VALUES('bucket UInt32, rows UInt64', $wides)
