SELECT DISTINCT toUInt32(toDate(parseDateTimeBestEffort(partition_id, 'UTC'), 'UTC'))
FROM system.parts
WHERE active AND database = currentDatabase() AND table IN {tables:Array(String)}
  AND partition_id >= {first:String}
