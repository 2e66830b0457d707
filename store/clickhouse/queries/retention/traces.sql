-- Rows, bytes, first and last arrival and the next expiry of parts with traces that were not pinned.
-- Parts of `traces` are by day, without a time.
SELECT sum(rows), sum(bytes_on_disk), minIf(toUnixTimestamp(min_time), min_time != 0),
       max(toUnixTimestamp(max_time)),
       minIf(toUnixTimestamp(delete_ttl_info_max), delete_ttl_info_max != 0)
FROM system.parts
WHERE /*include retention/trace_parts*/ AND partition_id < {first_pinned:String} AND $condition
