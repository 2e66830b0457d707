-- The rows of some traces by bucket, and of others the links to them: how many, their checksum, and when the newest
-- was inserted.
SELECT hex(trace_id), bucket, count(), sum(toUInt64(inserted)), max(inserted) FROM (
    SELECT trace_id, bucket, inserted FROM segments WHERE $places
    UNION ALL
    SELECT trace_id, bucket, inserted FROM calls WHERE $places
    UNION ALL
    SELECT trace_id, bucket, inserted FROM links WHERE $places
    UNION ALL
    SELECT other_trace, bucket, inserted FROM links
    WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))} AND $not_pinned_copy
) GROUP BY trace_id, bucket
