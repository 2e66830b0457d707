-- The dirty buckets together: their number, their rows, the time now, and for each of some windows in how many of
-- its minutes rows wait that are not counted, the first such bucket, and for how long the longest has waited.
SELECT count(), sum(rows), any(now), [$windows]
FROM (/*include rollup/dirty_buckets*/)
