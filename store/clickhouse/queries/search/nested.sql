-- Traces with a span whose parent is a call: below it may be one with that (store.layers).
SELECT trace_id FROM segments WHERE $rows AND independent > $Independent.OF_PARENT AND (trace_id, parent_id) IN (
    SELECT trace_id, id FROM calls WHERE $rows AND independent != $Independent.OF_PARENT
)
