-- The traces in each pin partition. `traces` is copied last, so these partitions are complete.
SELECT DISTINCT _partition_id, hex(trace_id)
FROM traces
WHERE $pinned_copy
