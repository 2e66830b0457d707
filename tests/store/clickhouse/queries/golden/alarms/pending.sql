SELECT value, url, attempts, tried
FROM (
    SELECT id, at, alarm, seq, value, url
    FROM alarm_events ARRAY JOIN targets AS url
    WHERE at >= {since:Int64}
) AS events
LEFT JOIN (
    SELECT event, url, status, attempts, at AS tried FROM alarm_deliveries FINAL
) AS sent ON sent.event = events.id AND sent.url = events.url
WHERE status NOT IN {final:Array(String)}
ORDER BY events.at, alarm, seq, url LIMIT {of_url:UInt64} BY url LIMIT {most:UInt64}
