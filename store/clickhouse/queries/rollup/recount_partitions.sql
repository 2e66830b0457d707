-- Writes the aggregates of partitions of a minute with their markers; $bucket is the partition.
INSERT INTO partition_rollups (partition, kind, bucket, /*include units/key*/, /*include units/columns*/, rows, oldest, checksum, rev) /*include rollup/single_part*/
SELECT bucket, kind, {minute:UInt32} AS minute_, /*include units/key_aliases*/, /*include units/column_aliases*/,
       toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, {rev:UInt64} AS rev_
FROM (/*include units/count*/)
UNION ALL
SELECT partition, 255, {minute:UInt32}, '', '', '', '', '', '', '', '', [], 0, low, high, /*include rollup/empty_aggregate*/,
       rows, toDateTime(oldest), checksum, {rev:UInt64}
FROM VALUES('partition UInt8, rows UInt64, checksum UInt64, oldest UInt32, low Int64, high Int64', $counted)
