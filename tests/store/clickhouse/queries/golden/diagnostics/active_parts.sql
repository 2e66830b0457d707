SELECT table, name, path, rows, toUnixTimestamp(min_time), toUnixTimestamp(max_time)
FROM system.parts
WHERE active AND database = currentDatabase() AND name IN {names:Array(String)}
