-- Pin partitions without rows of `traces`, which is copied last, of processes that died.
SELECT DISTINCT table, partition_id
FROM system.parts
WHERE /*include pins/pin_parts*/
  AND modification_time < now() - {seconds:Int32}
  AND partition_id NOT IN (
    SELECT partition_id FROM system.parts WHERE /*include pins/pin_parts*/ AND table = 'traces'
)
