-- Minutes and partitions elsewhere with units of traces that have rows here, and when the newest of those rows was inserted.
SELECT minute, partition, max(inserted) FROM (
    SELECT trace_id, max(inserted) AS inserted FROM (
        SELECT trace_id, inserted FROM segments
        WHERE $minutes AND trace_id IN (SELECT trace_id FROM cross_minute_traces)
        UNION ALL
        SELECT trace_id, inserted FROM calls
        WHERE $minutes AND trace_id IN (SELECT trace_id FROM cross_minute_traces)
        UNION ALL
        SELECT other_trace AS trace_id, inserted FROM links WHERE $minutes AND upstream = 0
    ) GROUP BY trace_id
) AS came
INNER JOIN (
    SELECT trace_id, minute, $partition AS partition FROM places
    UNION ALL
    SELECT trace_id, minute, partition FROM cross_minute_refs WHERE trace_id IN (SELECT trace_id FROM cross_minute_traces)
) AS lies ON came.trace_id = lies.trace_id
WHERE NOT $here
GROUP BY minute, partition
