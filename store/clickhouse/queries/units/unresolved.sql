-- The ids of each bucket that looking each up once in that bucket does not resolve. (Grouping by one number takes less.)
SELECT trace_id, bucket, key, leaves, doubtful FROM (
    SELECT any(trace_id) AS trace_id, any(bucket) AS bucket, any(key) AS key, /*include units/resolution*/
    FROM (/*include units/references*/) AS references GROUP BY bitXor(references.key, references.bucket)
)
WHERE leaves OR doubtful
