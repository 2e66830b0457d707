SELECT DISTINCT other_trace AS trace_id, other_id AS id FROM links
WHERE upstream = 0 AND <sender_rows> AND <not_pinned_copy>
  AND other_trace IN (SELECT trace_id FROM segments WHERE <target> AND independent = 0)
