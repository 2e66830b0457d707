-- Names of the services that stored something since some time (seconds).
SELECT service FROM operations GROUP BY service HAVING max(seen) >= {since:Int64}
ORDER BY service LIMIT {size:UInt64}
