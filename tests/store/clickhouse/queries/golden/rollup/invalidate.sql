INSERT INTO dirty (minute, partition, related, review, confirm) SELECT * FROM VALUES(
    'minute UInt32, partition UInt8, related Int64, review Int64, confirm Int64', <marks>
)
