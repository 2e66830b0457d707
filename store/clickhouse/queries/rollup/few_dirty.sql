-- What is known of buckets that are dirty, or may become so by time alone (rollup/dirty_buckets; store.clickhouse.rollup.dirty
-- tells which are). Planned in a third of the time that sums over them take.
SELECT bucket, sum(rows) AS number, max(arrived) AS arrival, max(related) AS relation, max(recheck) AS again, max(looked) AS look,
       toUnixTimestamp64Micro(now64(6)) AS now
FROM dirty GROUP BY bucket
HAVING look <= greatest(arrival, relation) + {guard:Int64} OR look < again
ORDER BY bucket DESC LIMIT {most:UInt64}
