-- What links of other traces say that they caused in these: links of the newest copies of their documents.
SELECT hex(other_trace), groupUniqArray(other_id) FROM links FINAL
WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))} AND (trace_id, document_id, ver) IN (
    SELECT trace_id, id, max(ver) FROM segments
    WHERE (minute, bucket, trace_id) IN (
        SELECT minute, bucket, trace_id FROM traces WHERE trace_id IN (
            SELECT trace_id FROM links WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))}
        )
    )
    GROUP BY trace_id, id
)
GROUP BY other_trace
