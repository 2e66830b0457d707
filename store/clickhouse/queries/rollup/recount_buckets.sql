-- Writes the aggregates of buckets with their versions.
INSERT INTO bucket_rollups (bucket, kind, /*include units/key*/, /*include units/columns per_trace=traces*/, rows, oldest, checksum, far_rows, far_checksum, named, excess, rev) /*include rollup/single_part*/
SELECT bucket, kind, /*include units/key_aliases*/, /*include units/column_aliases per_trace=traces_*/,
       toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt64(0) AS far_rows_,
       toUInt64(0) AS far_checksum_, toUInt32(0) AS named_, toUInt8(0) AS excess_, {rev:UInt64} AS rev_
FROM (/*include units/count*/)
UNION ALL
SELECT bucket, 255, '', '', '', '', '', '', '', '', [], 0, low, high, [], 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       rows, toDateTime(oldest), checksum, far_rows, far_checksum, named, excess, {rev:UInt64}
FROM VALUES('bucket UInt64, rows UInt64, checksum UInt64, oldest UInt32, low Int64, high Int64, far_rows UInt64,
             far_checksum UInt64, named UInt32, excess UInt8', $versions)
