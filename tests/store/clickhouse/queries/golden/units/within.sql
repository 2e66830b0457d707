SELECT trace_id, bucket, key, below AS outer, kind FROM scope_rows
WHERE below != 0 AND bitXor(below, cityHash64(name)) IN (
    SELECT bitXor(key, cityHash64(owner_name)) FROM scope_rows WHERE is_call AND NOT streamed AND name != ''
)
