-- The same, without `cross_bucket_refs`: the traces with rows in several buckets, or at the other end of a link.
SELECT trace_id FROM traces WHERE trace_id IN (SELECT trace_id FROM scope_rows)
GROUP BY trace_id HAVING uniqExact(bucket) > 1
UNION ALL
SELECT other_trace FROM links
