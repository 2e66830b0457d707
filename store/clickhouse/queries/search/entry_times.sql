-- Start, response time and state of finished traces whose earliest segment has no parent: it is the entry.
SELECT hex(trace_id), min(start), argMinIf(duration, (start, id), independent = $Independent.NO),
       argMinIf(state, (start, id), independent = $Independent.NO) AS ended
FROM segments FINAL
WHERE (minute, bucket, trace_id) IN (
    SELECT minute, bucket, trace_id FROM traces WHERE trace_id IN {ids:Array(FixedString(16))}
)
GROUP BY trace_id
HAVING countIf(independent = $Independent.NO) > 0 AND argMinIf(parent_id, (start, id), independent = $Independent.NO) = 0 AND ended != $State.IN_PROGRESS
