SELECT DISTINCT hex(trace_id) FROM segments
WHERE <rows> AND <nodes> AND independent = 2 AND parent_id != 0 AND <not_pinned_copy> AND (trace_id, parent_id, name) NOT IN (
    SELECT trace_id, id, name FROM segments WHERE <near> AND <named>
    UNION ALL
    SELECT trace_id, parent_id, name FROM segments WHERE <near> AND <named> AND independent = 0
    UNION ALL
    SELECT trace_id, id, owner_name FROM calls WHERE <near> AND <owned>
)
