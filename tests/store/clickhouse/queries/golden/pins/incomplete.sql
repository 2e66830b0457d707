SELECT DISTINCT table, partition_id
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
  AND partition_id >= {first:String}
  AND modification_time < now() - {seconds:Int32}
  AND partition_id NOT IN (
    SELECT partition_id FROM system.parts WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
  AND partition_id >= {first:String} AND table = 'traces'
)
