-- The latest attempts to deliver some events.
SELECT event, url, status, attempts, at, error FROM alarm_deliveries FINAL
WHERE event IN {events:Array(String)} ORDER BY event, url
