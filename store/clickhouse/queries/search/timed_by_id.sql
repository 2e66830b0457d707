-- store.trace_id.trace_time: the epoch in the id, or the first start when that is implausible.
SELECT trace_id,
       if(abs(/*include search/id_epoch*/ - first) <= {day:Int64}, /*include search/id_epoch*/, first) AS at,
       buckets
FROM (
    SELECT trace_id, min(start) AS first, $buckets AS buckets FROM traces
    WHERE $condition GROUP BY trace_id HAVING max(sampled) = 1
)
