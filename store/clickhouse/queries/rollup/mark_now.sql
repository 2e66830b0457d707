-- Marks buckets as changed, by the clock of the server.
INSERT INTO dirty (bucket, arrived, related, recheck, looked)
SELECT arrayJoin({buckets:Array(UInt64)}), 0, toUnixTimestamp64Micro(now64(6)) AS at, at + {settle:Int64}, 0
