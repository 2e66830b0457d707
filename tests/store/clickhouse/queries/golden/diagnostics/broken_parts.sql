SELECT table, name, reason, toUnixTimestamp(modification_time)
FROM system.detached_parts
WHERE database = currentDatabase() AND (reason LIKE 'broken%' OR reason = 'unexpected')
ORDER BY table, name
