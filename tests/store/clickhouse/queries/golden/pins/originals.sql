SELECT hex(trace_id), count(), sum(toUInt64(inserted)), any(first), any(last)
FROM segments
INNER JOIN (
    SELECT trace_id, min(lo) AS first, max(hi) AS last FROM traces
    WHERE trace_id IN (SELECT trace_id FROM pins) GROUP BY trace_id
) AS found USING trace_id
WHERE (minute, bucket, trace_id) IN (SELECT minute, bucket, trace_id FROM traces WHERE trace_id IN (SELECT trace_id FROM pins))
  AND <not_pinned_copy>
GROUP BY trace_id
