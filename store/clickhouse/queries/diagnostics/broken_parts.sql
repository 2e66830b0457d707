-- Parts that ClickHouse has set aside because they cannot be read. Their rows are missing everywhere.
SELECT table, name, reason, toUnixTimestamp(modification_time)
FROM system.detached_parts
WHERE database = currentDatabase() AND (reason LIKE 'broken%' OR reason = 'unexpected')
ORDER BY table, name
