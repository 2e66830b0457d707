-- Writes the aggregates of buckets with their versions.
INSERT INTO bucket_rollups (bucket, kind, /*include units/key*/, /*include units/columns per_trace=traces*/, rows, oldest, checksum, far_rows, far_checksum, named, excess, rev) /*include rollup/single_part*/
SELECT bucket, kind, /*include units/key_aliases*/, /*include units/column_aliases per_trace=traces_*/,
       toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt64(0) AS far_rows_,
       toUInt64(0) AS far_checksum_, toUInt32(0) AS named_, toUInt8(0) AS excess_, {rev:UInt64} AS rev_
FROM (/*include units/count*/)
UNION ALL
SELECT bucket, $marker, '', '', '', '', '', '', '', '', [], 0, low, high, [], 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       rows, toDateTime(oldest), checksum, far_rows, far_checksum, named, excess, {rev:UInt64}
FROM (
    SELECT each.1 AS bucket, each.2 AS rows, each.3 AS checksum, each.4 AS oldest, each.5 AS low, each.6 AS high,
           each.7 AS far_rows, each.8 AS far_checksum, each.9 AS named, each.10 AS excess
    FROM (SELECT arrayJoin({versions:Array(Tuple(UInt64, UInt64, UInt64, UInt32, Int64, Int64, UInt64, UInt64, UInt32, UInt8))}) AS each)
)
