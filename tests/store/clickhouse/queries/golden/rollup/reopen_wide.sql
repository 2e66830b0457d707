INSERT INTO rollups (width, kind, bucket, rows, rev) SELECT width, 255, bucket, rows, {rev:UInt64}
FROM VALUES('width UInt16, bucket UInt32, rows UInt64', <wides>)
