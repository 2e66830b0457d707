SELECT trace_id FROM cross_bucket_refs
WHERE trace_id IN (SELECT trace_id FROM cross_bucket_traces)
  AND (trace_id, bucket) IN (SELECT trace_id, bucket FROM places)
  AND (trace_id, bucket) NOT IN (SELECT trace_id, bucket FROM scope_rows)
UNION ALL
SELECT other_trace FROM links WHERE upstream = 0 AND other_trace IN (SELECT trace_id FROM cross_bucket_traces)
