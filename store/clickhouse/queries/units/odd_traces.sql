-- Traces of `scope_rows` in each bucket that are not resolved by looking up each id once in that bucket, found by the
-- copies of each id and the references to it. `is_open`: a row elsewhere decides, or may come and decide. Not odd, but
-- open is the trace that is named as the cause of another, as long as it does not name that itself.
-- Roles: 1 a document, 2 it or what embeds the id is a streamed subsegment, 4 a call in a document, 8 a streamed call,
-- 16 the document of a call, 32 the parent of a segment, 64 of a streamed subsegment, 128 a copy may replace it, 256
-- embedded in a segment.
SELECT trace_id, bucket, max(leaves) AS is_open, 1 AS is_odd FROM (
    SELECT any(trace_id) AS trace_id, any(bucket) AS bucket, groupBitOr(role) AS roles,
           countIf(bitAnd(role, 263) > 0) AS holders, countIf(role = 32) AS segments, bitAnd(roles, 16) > 0 AS has_calls,
           minIf(version, version > 0) != max(version) AS is_mixed,
           bitAnd(roles, 128) > 0 OR (bitAnd(roles, 96) > 0 AND holders = 0) OR (has_calls AND bitAnd(roles, 1) = 0)
               AS leaves,
           holders > 1 OR (bitAnd(roles, 32) > 0 AND bitAnd(roles, 10) = 2) OR (segments > 1 AND bitAnd(roles, 12) > 0)
               OR bitAnd(roles, 68) = 68 OR (has_calls AND is_mixed) AS doubtful
    FROM (
        SELECT trace_id, bucket, key,
               toUInt16(multiIf(NOT is_call, if(streamed, 3, 1), streamed AND refers_to = key, 8, 4)
                       + if(ver < 4611686018427387904, 128, 0)) AS role,
               if(is_call, 0, bitAnd(ver, 4611686018427387903)) AS version
        FROM scope_rows
        UNION ALL
        SELECT trace_id, bucket, refers_to, multiIf(is_call, 16, streamed, 64, 32),
               if(is_call, bitAnd(ver, 4611686018427387903), 0)
        FROM scope_rows WHERE refers_to != 0
        UNION ALL
        SELECT trace_id, bucket, arrayJoin(parts), if(streamed, 2, 256), 0 FROM scope_rows WHERE notEmpty(parts)
    )
    GROUP BY key
)
WHERE leaves OR doubtful
GROUP BY trace_id, bucket
UNION ALL
SELECT trace_id, bucket, 0, 1 FROM links WHERE $rows AND upstream = 0
UNION ALL
SELECT other_trace, bucket, 1, upstream = 0 FROM links WHERE $rows
