-- Records what is known of buckets.
INSERT INTO dirty (bucket, arrived, related, recheck, looked) VALUES
