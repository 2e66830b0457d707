-- Rows for the markers of minutes and of the wide buckets that they make out of date.
SELECT width, 255, bucket, '', '', '', '', '', '', '', '', [], 0, low, high, /*include rollup/empty_aggregate*/,
       width = 1, rows, toDateTime(oldest), checksum, counted_at, {rev:UInt64}
FROM VALUES('width UInt16, bucket UInt32, low Int64, high Int64, rows UInt64, oldest UInt32,
             checksum UInt64, counted_at UInt64', $markers)
