-- Buckets whose aggregates may be out of date. far: whether rows elsewhere are to be compared, too;
-- confirming: whether nothing is known to have changed; waited: for how long it has (microseconds).
SELECT bucket, rows, arrived, related, recheck, looked, now,
       looked <= related + {guard:Int64} OR (looked < recheck AND recheck <= now) AS far,
       looked > arrived AND looked > related AS confirming,
       now - toInt64(multiIf(looked <= arrived, arrived, looked <= related, related, now)) AS waited
FROM (
    SELECT bucket, max(arrived) AS arrived, max(related) AS related, max(recheck) AS recheck,
           max(looked) AS looked, sum(rows) AS rows, toUnixTimestamp64Micro(now64(6)) AS now
    FROM dirty GROUP BY bucket
)
WHERE looked <= arrived + {guard:Int64} OR looked <= related + {guard:Int64} OR (looked < recheck AND recheck <= now)
