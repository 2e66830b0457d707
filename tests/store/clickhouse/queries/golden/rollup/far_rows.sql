SELECT mine.bucket AS bucket, sum(far.n), sum(far.checksum), sum(far.n_seen), sum(far.checksum_seen)
FROM (
    SELECT trace_id, bucket FROM odd_traces WHERE is_open AND <by_trace>
    UNION DISTINCT
    SELECT trace_id, bucket FROM places WHERE bucket IN (<buckets>) AND <by_trace>
) AS mine
INNER JOIN (
    SELECT trace_id, bucket, count() AS n, sum(toUInt64(inserted)) AS checksum,
           countIf(is_seen) AS n_seen, sumIf(toUInt64(inserted), is_seen) AS checksum_seen
    FROM (
        SELECT trace_id, bucket, inserted, inserted < {before:Int64} OR trace_id IN (
            SELECT trace_id FROM odd_traces WHERE is_odd UNION ALL SELECT trace_id FROM dependent_traces
        ) AS is_seen
        FROM (
            SELECT trace_id, bucket, inserted FROM segments WHERE <shared> AND <by_trace> AND <not_pinned_copy>
            UNION ALL
            SELECT trace_id, bucket, inserted FROM calls WHERE <shared> AND <by_trace> AND <not_pinned_copy>
            UNION ALL
            SELECT trace_id, bucket, inserted FROM links WHERE <shared> AND <by_trace> AND <not_pinned_copy>
            UNION ALL
            SELECT other_trace AS trace_id, bucket, inserted FROM links
            WHERE upstream = 0 AND <sender_rows> AND <not_pinned_copy>
              AND other_trace IN (SELECT trace_id FROM cross_bucket_traces)
        )
    ) GROUP BY trace_id, bucket
) AS far ON mine.trace_id = far.trace_id
WHERE far.bucket != mine.bucket
GROUP BY bucket
