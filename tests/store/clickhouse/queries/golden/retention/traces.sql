SELECT sum(rows), sum(bytes_on_disk), minIf(toUnixTimestamp(min_time), min_time != 0),
       max(toUnixTimestamp(max_time)),
       minIf(toUnixTimestamp(delete_ttl_info_max), delete_ttl_info_max != 0)
FROM system.parts
WHERE active AND rows > 0 AND database = currentDatabase() AND table IN {tables:Array(String)} AND partition_id < {first_pinned:String} AND <condition>
