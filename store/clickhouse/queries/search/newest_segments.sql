SELECT trace_id, parent_id, independent, start, state, account, name, type, region, exception, status, weight FROM segments
WHERE $located ORDER BY ver DESC LIMIT 1 BY trace_id, id
