SELECT name
FROM system.tables
WHERE database = currentDatabase() AND startsWith(name, 'pinning_')
  AND metadata_modification_time < now() - {seconds:Int32}
