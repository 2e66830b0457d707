SELECT partition, argMax((rev, rows, checksum, oldest, start, end), rev) FROM partition_rollups
WHERE bucket = {minute:UInt32} AND kind = 255 AND written_at > now() - 3600 GROUP BY partition
