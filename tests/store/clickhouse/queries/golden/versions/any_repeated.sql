SELECT 1 FROM segments
WHERE <rows> AND <nodes> AND kind = 2 AND parent_id != 0 AND (trace_id, parent_id, name) IN (
    SELECT trace_id, id, name FROM segments WHERE <near> AND <named> AND kind IN (2, 5)
)
LIMIT 1
