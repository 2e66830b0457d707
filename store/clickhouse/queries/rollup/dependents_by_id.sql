-- Buckets elsewhere that have looked up rows of large traces in $rows, and those that were counted before these were large,
-- with when the newest of those rows was inserted.
SELECT bucket, max(inserted) FROM (
    SELECT needed.bucket AS bucket, inserted FROM (/*include rollup/came_by_id*/) AS came
    INNER JOIN (
        SELECT trace_id, relation, id, bucket FROM deciding_ids
        WHERE (trace_id, relation, id) IN (SELECT trace_id, relation, id FROM (/*include rollup/came_by_id*/))
    ) AS needed USING (trace_id, relation, id)
    UNION ALL
    SELECT unknown.bucket AS bucket, inserted
    FROM (SELECT trace_id, max(inserted) AS inserted FROM (/*include rollup/came_by_id*/) GROUP BY trace_id) AS came
    INNER JOIN (
        SELECT trace_id, bucket FROM places
        WHERE trace_id IN {large:Array(FixedString(16))} AND (trace_id, bucket) NOT IN (
            SELECT trace_id, bucket FROM deciding_ids WHERE trace_id IN {large:Array(FixedString(16))} AND relation = 3
        )
    ) AS unknown USING trace_id
)
WHERE bucket NOT IN ($buckets)
GROUP BY bucket
