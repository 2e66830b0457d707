-- The latest end of a finished segment, from the start of the range to the end of the window.
SELECT trace_id, at, buckets
FROM (
    SELECT trace_id, max(end) AS at
    FROM (
        SELECT trace_id, start + duration AS end FROM segments FINAL
        WHERE minute BETWEEN {first_minute:UInt64} AND {window_end_minute:UInt64}
          AND /*include search/finished_segment end=window_end*/
          AND trace_id IN (/*include search/ended_traces*/) AND ($condition)
        UNION ALL
        SELECT trace_id, start + duration AS end FROM segments FINAL
        WHERE minute < {first_minute:UInt64} AND duration >= {long_duration:Int64}
          AND /*include search/finished_segment end=window_end*/
          AND trace_id IN (/*include search/ended_traces*/) AND ($condition)
    )
    GROUP BY trace_id
) AS ended
ANY INNER JOIN (
    SELECT trace_id, $buckets AS buckets FROM traces
    WHERE trace_id IN (/*include search/ended_traces*/) GROUP BY trace_id HAVING max(sampled) = 1
) AS sampled USING trace_id
