SELECT trace_id FROM segments WHERE <rows> AND <not_pinned_copy>
UNION ALL
SELECT trace_id FROM calls WHERE <rows> AND <not_pinned_copy>
