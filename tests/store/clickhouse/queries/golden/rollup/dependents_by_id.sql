SELECT bucket, max(inserted) FROM (
    SELECT needed.bucket AS bucket, inserted FROM (SELECT trace_id, toUInt8(0) AS relation, id, inserted FROM segments WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, 0, arrayJoin(members), inserted FROM segments WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, if(independent = 0, 1, 2), parent_id, inserted FROM segments
WHERE <rows> AND trace_id IN {large:Array(FixedString(16))} AND independent != 1 AND parent_id != 0
UNION ALL
SELECT trace_id, 0, id, inserted FROM calls WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}) AS came
    INNER JOIN (
        SELECT trace_id, relation, id, bucket FROM deciding_ids
        WHERE (trace_id, relation, id) IN (SELECT trace_id, relation, id FROM (SELECT trace_id, toUInt8(0) AS relation, id, inserted FROM segments WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, 0, arrayJoin(members), inserted FROM segments WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, if(independent = 0, 1, 2), parent_id, inserted FROM segments
WHERE <rows> AND trace_id IN {large:Array(FixedString(16))} AND independent != 1 AND parent_id != 0
UNION ALL
SELECT trace_id, 0, id, inserted FROM calls WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}))
    ) AS needed USING (trace_id, relation, id)
    UNION ALL
    SELECT unknown.bucket AS bucket, inserted
    FROM (SELECT trace_id, max(inserted) AS inserted FROM (SELECT trace_id, toUInt8(0) AS relation, id, inserted FROM segments WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, 0, arrayJoin(members), inserted FROM segments WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}
UNION ALL
SELECT trace_id, if(independent = 0, 1, 2), parent_id, inserted FROM segments
WHERE <rows> AND trace_id IN {large:Array(FixedString(16))} AND independent != 1 AND parent_id != 0
UNION ALL
SELECT trace_id, 0, id, inserted FROM calls WHERE <rows> AND trace_id IN {large:Array(FixedString(16))}) GROUP BY trace_id) AS came
    INNER JOIN (
        SELECT trace_id, bucket FROM places
        WHERE trace_id IN {large:Array(FixedString(16))} AND (trace_id, bucket) NOT IN (
            SELECT trace_id, bucket FROM deciding_ids WHERE trace_id IN {large:Array(FixedString(16))} AND relation = 3
        )
    ) AS unknown USING trace_id
)
WHERE bucket NOT IN (<buckets>)
GROUP BY bucket
