active AND database = currentDatabase() AND table IN {tables:Array(String)}
  AND partition_id >= {first:String}
