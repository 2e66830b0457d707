INSERT INTO dirty (bucket, arrived, related, recheck, looked) VALUES
