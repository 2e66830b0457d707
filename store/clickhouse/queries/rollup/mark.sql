-- Records what is known of buckets: bucket, arrived, related, recheck, looked. (A parameter: the elements of VALUES
-- are interpreted one by one, 20 us each.)
INSERT INTO dirty (bucket, arrived, related, recheck, looked)
SELECT each.1 AS bucket, each.2 AS arrived, each.3 AS related, each.4 AS recheck, each.5 AS looked
FROM (SELECT arrayJoin({marks:Array(Tuple(UInt64, Int64, Int64, Int64, Int64))}) AS each)
