-- The start of the bucket before which so many rows of a table are newer that meet a condition; no row if there are
-- fewer. The table is read backwards.
SELECT bucket * $bucket_width FROM $table WHERE $rows ORDER BY minute DESC, bucket DESC LIMIT 1 OFFSET {few:UInt64}
