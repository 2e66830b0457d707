SELECT hex(trace_id), sum(revision), max(updated), min(lo), max(hi)
FROM traces
WHERE trace_id IN (SELECT trace_id FROM pins) AND <not_pinned_copy>
GROUP BY trace_id
