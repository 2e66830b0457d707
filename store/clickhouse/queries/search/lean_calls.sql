-- The columns of calls.sql, only what store.trace_filter reads.
SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, owner_region, 0,
       id, start, start, state, account, name, type, region, '', '', 0, 0, '', 1
FROM calls FINAL WHERE $places
