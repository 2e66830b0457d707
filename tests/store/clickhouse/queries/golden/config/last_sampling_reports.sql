SELECT rule, client, max(at) AS latest,
       argMax(requests, (at, requests, sampled, borrowed)),
       argMax(sampled, (at, requests, sampled, borrowed)),
       argMax(borrowed, (at, requests, sampled, borrowed))
FROM sampling_reports
WHERE at >= {start:Int64} AND at < {end:Int64}
GROUP BY rule, client
ORDER BY rule, client
LIMIT {most:UInt32} BY rule
