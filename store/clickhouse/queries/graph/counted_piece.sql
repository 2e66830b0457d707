-- Aggregates of units by minute, as rows of `bucket_rollups` have them.
SELECT bucket AS minute, kind, /*include units/named_keys*/, names_ AS names, active_ AS active, start_ AS start, end_ AS end,
       traces_ AS traces, ok_ AS ok, error_ AS error, throttle_ AS throttle, fault_ AS fault, in_progress_ AS in_progress,
       observed_ AS observed, total_time_ AS total_time, histogram_ AS histogram, duration_delta_ AS duration_delta,
       failures_ AS failures
FROM (/*include units/count*/)
