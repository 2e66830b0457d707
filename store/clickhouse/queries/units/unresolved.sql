-- The ids of each bucket that looking each up once in that bucket does not resolve.
SELECT trace_id, bucket, key, leaves, doubtful FROM (
    SELECT any(trace_id) AS trace_id, bucket, key, /*include units/resolution*/
    FROM (/*include units/references*/) GROUP BY key, bucket
)
WHERE leaves OR doubtful
