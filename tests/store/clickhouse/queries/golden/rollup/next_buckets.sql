SELECT bucket, rows, arrived, related, recheck, looked, now, far, confirming, waited FROM (
    SELECT *, row_number() OVER (ORDER BY confirming, bucket DESC) AS freshness,
           row_number() OVER (ORDER BY confirming, looked, bucket DESC) AS turn
    FROM (SELECT bucket, rows, arrived, related, recheck, looked, now,
       looked <= related + {guard:Int64} OR (looked < recheck AND recheck <= now) AS far,
       looked > arrived AND looked > related AS confirming,
       now - toInt64(multiIf(looked <= arrived, arrived, looked <= related, related, now)) AS waited
FROM (
    SELECT bucket, max(arrived) AS arrived, max(related) AS related, max(recheck) AS recheck,
           max(looked) AS looked, sum(rows) AS rows, toUnixTimestamp64Micro(now64(6)) AS now
    FROM dirty GROUP BY bucket
)
WHERE looked <= arrived + {guard:Int64} OR looked <= related + {guard:Int64} OR (looked < recheck AND recheck <= now))
)
WHERE freshness <= {first:UInt32} OR turn <= {most:UInt32}
ORDER BY bucket DESC
