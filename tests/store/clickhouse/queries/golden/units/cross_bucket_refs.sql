SELECT trace_id, bucket FROM (
    SELECT trace_id, bucket FROM unresolved_parents
    LEFT ANTI JOIN (
        SELECT trace_id, bucket, member FROM segments
        ARRAY JOIN arrayPushFront(members, id) AS member
        WHERE <minutes> AND trace_id IN (SELECT trace_id FROM unresolved_parents)
    ) AS containing ON unresolved_parents.trace_id = containing.trace_id AND unresolved_parents.bucket = containing.bucket
             AND unresolved_parents.parent_id = containing.member
    UNION ALL
    SELECT trace_id, bucket FROM detached_calls
    UNION ALL
    SELECT trace_id, bucket FROM segments
    WHERE <minutes> AND ver < 4611686018427387904 AND (trace_id, bucket, id) NOT IN (
        SELECT trace_id, bucket, id FROM segments
        WHERE <minutes> AND ver >= 4611686018427387904
          AND trace_id IN (SELECT trace_id FROM segments WHERE <minutes> AND ver < 4611686018427387904)
    )
    UNION ALL
    SELECT trace_id, bucket FROM calls
    WHERE <minutes> AND state = 0 AND (trace_id, bucket, id) NOT IN (
        SELECT trace_id, bucket, id FROM calls
        WHERE <minutes> AND state > 0 AND trace_id IN (SELECT trace_id FROM calls WHERE <minutes> AND state = 0)
    )
    UNION ALL
    SELECT other AS trace_id, bucket
    FROM (SELECT other_trace AS other, bucket FROM links WHERE <minutes>)
)
GROUP BY trace_id, bucket
