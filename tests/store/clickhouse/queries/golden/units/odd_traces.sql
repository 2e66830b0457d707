SELECT trace_id, bucket, max(leaves) AS is_open, max(doubtful OR key IN (
    SELECT key FROM (
        SELECT key, groupBitOr(role) AS roles,
countIf(bitAnd(role, 263) > 0) AS holders, countIf(bitAnd(role, 32) > 0) AS segments, bitAnd(roles, 16) > 0 AS has_calls,
minIf(version, version > 0) != max(version) AS is_mixed,
bitAnd(roles, 128) > 0 OR (bitAnd(roles, 96) > 0 AND holders = 0) OR (has_calls AND bitAnd(roles, 1) = 0) AS leaves,
holders > 1 OR (segments > 1 AND bitAnd(roles, 13) > 0)
    OR bitAnd(roles, 68) = 68 OR (has_calls AND is_mixed) OR bitAnd(roles, 1536) = 1536 AS doubtful
        FROM (SELECT trace_id, bucket, key,
       toUInt16(multiIf(NOT is_call, if(streamed, 3, 1), independent AND refers_to = key, 8, 4)
               + if(ver < 4611686018427387904, 128, 0) + if(fetched = 2 AND NOT independent, 512, 0)) AS role,
       if(is_call, 0, bitAnd(ver, 4611686018427387903)) AS version
FROM scope_rows
UNION ALL
SELECT trace_id, bucket, refers_to, multiIf(is_call, 16, streamed, 64, kind = 5, 1056, 32),
       if(is_call, bitAnd(ver, 4611686018427387903), 0)
FROM scope_rows WHERE refers_to != 0
UNION ALL
SELECT trace_id, bucket, arrayJoin(parts), if(streamed, 2, 256), 0 FROM scope_rows WHERE notEmpty(parts)) WHERE key IN (SELECT key FROM unresolved WHERE leaves)
        GROUP BY key
    )
    WHERE leaves OR doubtful
)) AS is_odd
FROM unresolved GROUP BY trace_id, bucket
<entering>
<nested>
UNION ALL
SELECT trace_id, bucket, 0, 1 FROM scope_rows
WHERE kind = 2 AND NOT independent AND refers_to != 0 AND bitXor(refers_to, cityHash64(name)) IN (
    SELECT bitXor(key, cityHash64(name)) FROM scope_rows WHERE kind IN (2, 5)
)
UNION ALL
SELECT trace_id, bucket, 0, 1 FROM scope_links WHERE upstream = 0
UNION ALL
SELECT trace_id, bucket, 1, 1 FROM scope_links WHERE (trace_id, bucket) IN (SELECT trace_id, bucket FROM scope_rows WHERE fetched != 0)
UNION ALL
SELECT other_trace, bucket, 1, upstream = 0 FROM scope_links
