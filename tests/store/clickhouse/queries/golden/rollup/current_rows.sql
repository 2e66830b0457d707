SELECT minute, <partition> AS partition, count(), sum(toUInt64(inserted)), toUnixTimestamp(min(received)),
       min(start), max(start), max(weight)
FROM (
    SELECT minute, trace_id, inserted, received, start, weight FROM segments WHERE <minutes> AND <not_pinned_copy>
    UNION ALL
    SELECT minute, trace_id, inserted, received, start, weight FROM calls WHERE <minutes> AND <not_pinned_copy>
    UNION ALL
    SELECT minute, trace_id, inserted, received, start, weight FROM links WHERE <minutes> AND <not_pinned_copy>
)
GROUP BY minute, partition
