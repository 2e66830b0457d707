-- Spans inside their services whose parent in their bucket is no work or call of these, nor has a segment of them the same
-- parent: they may enter (store.parents), unless that is in their process, or be in a call elsewhere (store.layers). `own`:
-- what that would be, whatever the bucket.
SELECT trace_id, bucket, own, independent = $Independent.OF_SENDER AS may_enter
FROM (SELECT trace_id, bucket, independent, bitXor(below, cityHash64(name)) AS own FROM scope_rows WHERE below != 0)
WHERE bitXor(own, intHash64(bucket)) NOT IN (
    SELECT bitXor(bitXor(key, cityHash64(if(is_call, owner_name, name))), intHash64(bucket)) FROM scope_rows WHERE NOT streamed
    UNION ALL
    SELECT bitXor(bitXor(refers_to, cityHash64(name)), intHash64(bucket)) FROM scope_rows
    WHERE NOT is_call AND NOT independent AND refers_to != 0
)
