-- The documents of the traces that say that they caused some others, by these: how many, and their checksum. A later copy may
-- no longer say so.
SELECT hex(sent.other_trace), count(), sum(toUInt64(came.inserted)) FROM (
    SELECT trace_id, inserted FROM segments
    WHERE (minute, bucket, trace_id) IN (
        SELECT minute, bucket, trace_id FROM traces WHERE trace_id IN (
            SELECT trace_id FROM links WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))}
        )
    ) AND $not_pinned_copy
) AS came
INNER JOIN (
    SELECT DISTINCT trace_id, other_trace FROM links WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))}
) AS sent ON came.trace_id = sent.trace_id
GROUP BY sent.other_trace
