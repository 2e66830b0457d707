-- Minutes whose rollups may lack units of stored rows: of buckets that are dirty, have to be compared once more, or were
-- looked at a moment ago (a replica may not have the result yet), and of pinned copies, which are not counted. And, as
-- minute 0, for how many days traces are retained, if that was set.
SELECT DISTINCT toUInt32(intDiv(bucket, 12)) AS minute, toUInt32(0) AS days FROM (
    SELECT bucket, greatest(max(arrived), max(related), max(recheck)) AS known, max(looked) AS seen
    FROM dirty GROUP BY bucket
)
WHERE seen <= known OR seen > toUnixTimestamp64Micro(now64(6)) - {moment:Int64}
UNION DISTINCT
SELECT minute, toUInt32(0) FROM traces WHERE $pinned_copy
UNION DISTINCT
SELECT toUInt32(0), toUInt32OrZero(value) FROM settings FINAL WHERE name = 'retention.traces'
