-- Marks wide buckets as out of date once more, for downsampling that ran in the meantime.
INSERT INTO rollups (width, kind, bucket, rows, rev) SELECT width, $marker, bucket, rows, {rev:UInt64}
FROM VALUES('width UInt16, bucket UInt32, rows UInt64', $wides)
