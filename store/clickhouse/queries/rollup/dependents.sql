-- Buckets elsewhere with units of traces that have rows here ($by_trace: but of those that are known by id), and when the
-- newest of those rows was inserted.
SELECT bucket, max(inserted) FROM (
    SELECT trace_id, max(inserted) AS inserted FROM (
        SELECT trace_id, inserted FROM segments
        WHERE $rows AND $by_trace AND trace_id IN (SELECT trace_id FROM cross_bucket_traces)
        UNION ALL
        SELECT trace_id, inserted FROM calls
        WHERE $rows AND $by_trace AND trace_id IN (SELECT trace_id FROM cross_bucket_traces)
        UNION ALL
        SELECT other_trace AS trace_id, inserted FROM links WHERE $rows AND upstream = 0
    ) GROUP BY trace_id
) AS came
INNER JOIN (
    SELECT trace_id, bucket FROM places
    UNION ALL
    SELECT trace_id, bucket FROM cross_bucket_refs WHERE trace_id IN (SELECT trace_id FROM cross_bucket_traces)
) AS lies ON came.trace_id = lies.trace_id
WHERE bucket NOT IN ($buckets)
GROUP BY bucket
