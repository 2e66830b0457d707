-- The start of the bucket before which so many rows of a table are newer that meet a condition; no row if there are
-- fewer. The table is read backwards.
SELECT bucket * 5000000 FROM $table WHERE $rows ORDER BY minute DESC, bucket DESC LIMIT 1 OFFSET {few:UInt64}
