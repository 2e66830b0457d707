-- The partition with the most active parts, and from how many on ClickHouse slows inserts down.
SELECT table, partition_id, count() AS parts,
       (SELECT toUInt64(value) FROM system.merge_tree_settings WHERE name = 'parts_to_delay_insert')
FROM system.parts
WHERE active AND database = currentDatabase()
GROUP BY table, partition_id
ORDER BY parts DESC, table, partition_id
LIMIT 1
