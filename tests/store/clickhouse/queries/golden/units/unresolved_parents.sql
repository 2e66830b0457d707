SELECT s.trace_id AS trace_id, s.bucket AS bucket, s.id AS id, s.parent_id AS parent_id, s.independent AS independent
FROM (SELECT trace_id, bucket, id, parent_id, independent FROM segments WHERE <minutes> AND parent_id != 0) AS s
LEFT ANTI JOIN (
    SELECT trace_id, bucket, id FROM calls
    WHERE <minutes> AND (trace_id, id) NOT IN (SELECT trace_id, id FROM detached_calls)
) AS c ON s.trace_id = c.trace_id AND s.bucket = c.bucket AND s.parent_id = c.id
