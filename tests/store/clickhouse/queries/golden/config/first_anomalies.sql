SELECT rule, service, min(at) AS first, argMin(anomalies, (at, anomalies)),
       argMin(sampled, (at, anomalies))
FROM sampling_anomalies
WHERE rule = {rule:String} AND at >= {start:Int64} AND at < {end:Int64} AND sampled < anomalies
GROUP BY rule, service
ORDER BY service
