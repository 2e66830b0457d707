SELECT DISTINCT _partition_id, hex(trace_id)
FROM traces
WHERE <pinned_copy>
