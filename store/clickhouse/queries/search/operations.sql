-- What a service did since some time (seconds), and when it was last stored.
SELECT operation, kind, toUnixTimestamp(max(seen)) AS last FROM operations WHERE service = {service:String}
GROUP BY operation, kind HAVING last >= {since:Int64}
ORDER BY operation, kind LIMIT {size:UInt64}
