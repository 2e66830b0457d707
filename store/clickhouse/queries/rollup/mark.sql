-- Records what is known of buckets.
INSERT INTO dirty (bucket, arrived, related, recheck, looked) SELECT * FROM VALUES(
    'bucket UInt64, arrived Int64, related Int64, recheck Int64, looked Int64', $marks
)
