SELECT d.minute, d.rows, intDiv(r.rev, 1024) AS seen,
       seen > arrived + {guard:Int64} AND seen >= related AND NOT (seen < review AND review <= now)
           AS confirming,
       now - toInt64(multiIf(seen <= arrived, arrived, seen < related, related, now)) AS waited
FROM (
    SELECT minute, max(arrived) AS arrived, max(related) AS related, max(review) AS review,
           max(confirm) AS confirm, sum(rows) AS rows, toUnixTimestamp64Micro(now64(6)) AS now
    FROM dirty GROUP BY minute
) AS d
LEFT JOIN (
    SELECT bucket, max(rev) AS rev FROM rollups WHERE width = 1 AND kind = 255 GROUP BY bucket
) AS r ON d.minute = r.bucket
WHERE seen <= arrived + {guard:Int64} OR seen < related OR (seen < review AND review <= now)
   OR (seen < confirm AND confirm <= now)
ORDER BY d.minute DESC
