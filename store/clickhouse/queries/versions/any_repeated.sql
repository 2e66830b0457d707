-- Whether a SERVER span of some nodes names one of its own service as its parent: it may be the same request.
SELECT 1 FROM segments
WHERE $rows AND $nodes AND kind = $Kind.SERVER AND parent_id != 0 AND (trace_id, parent_id, name) IN (
    SELECT trace_id, id, name FROM segments WHERE $near AND $named AND kind IN $enclosing
)
LIMIT 1
