SELECT sum(rows), sum(bytes_on_disk), (SELECT count() FROM pins FINAL WHERE removed = 0)
FROM system.parts
WHERE active AND rows > 0 AND database = currentDatabase() AND table IN {tables:Array(String)} AND partition_id >= {first_pinned:String}
