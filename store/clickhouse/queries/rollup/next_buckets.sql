-- The dirty buckets whose turn is next, the newest first: the newest of those with changes, and those that were never
-- looked at, then those looked at longest ago, then those that are only compared.
SELECT bucket, rows, arrived, related, recheck, looked, now, far, confirming, waited FROM (
    SELECT *, row_number() OVER (ORDER BY confirming, bucket DESC) AS freshness,
           row_number() OVER (ORDER BY confirming, looked, bucket DESC) AS turn
    FROM (/*include rollup/dirty_buckets*/)
)
WHERE freshness <= {first:UInt32} OR turn <= {most:UInt32}
ORDER BY bucket DESC
