-- Rows and bytes of pinned copies, and the number of pins.
SELECT sum(rows), sum(bytes_on_disk), (SELECT count() FROM pins FINAL WHERE removed = 0)
FROM system.parts
WHERE /*include retention/trace_parts*/ AND partition_id >= {first_pinned:String}
