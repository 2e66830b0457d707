SELECT 1 FROM (
    SELECT trace_id FROM segments
    WHERE <rows> AND <nodes> AND independent = 2
      AND (trace_id, parent_id) NOT IN (SELECT trace_id, id FROM segments WHERE <near> AND <named>)
    LIMIT 1
    UNION ALL
    SELECT trace_id FROM calls
    WHERE <rows> AND <named> AND (trace_id, id) NOT IN (
        SELECT trace_id, parent_id FROM segments
        WHERE <near> AND independent = 0 AND (kind != 5 AND fetched = 0) AND trace_id IN (SELECT trace_id FROM calls WHERE <rows> AND <named>)
    )
    LIMIT 1
)
LIMIT 1
