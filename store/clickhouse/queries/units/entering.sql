-- Spans that may enter their services (store.parents): in their bucket their parent is no work or call of their own
-- service, nor has a segment of that the same parent. `own`: what that would be, whatever the bucket.
SELECT trace_id, bucket, own
FROM (SELECT trace_id, bucket, bitXor(below, cityHash64(name)) AS own FROM scope_rows WHERE below != 0)
WHERE bitXor(own, intHash64(bucket)) NOT IN (
    SELECT bitXor(bitXor(key, cityHash64(if(is_call, owner_name, name))), intHash64(bucket)) FROM scope_rows WHERE NOT streamed
    UNION ALL
    SELECT bitXor(bitXor(refers_to, cityHash64(name)), intHash64(bucket)) FROM scope_rows
    WHERE NOT is_call AND NOT independent AND refers_to != 0
)
