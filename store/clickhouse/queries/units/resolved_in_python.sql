-- The traces with units in $target that no look-up resolves.
SELECT DISTINCT trace_id FROM scope_rows
WHERE $target AND trace_id IN (
    SELECT trace_id FROM odd_traces WHERE is_odd UNION ALL SELECT trace_id FROM dependent_traces
)
