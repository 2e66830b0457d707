SELECT sum(rows), sum(bytes_on_disk)
FROM system.parts
WHERE active AND database = currentDatabase() AND table = {table:String}
