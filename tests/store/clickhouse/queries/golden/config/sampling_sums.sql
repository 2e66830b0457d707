SELECT rule, intDiv(at, {step:Int64}) * {step:Int64} AS start,
       sum(requests), sum(sampled), sum(borrowed)
FROM sampling_reports
WHERE at >= {start:Int64} AND at < {end:Int64}
GROUP BY rule, start
ORDER BY start, rule
