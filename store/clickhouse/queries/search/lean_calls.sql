-- The columns of calls.sql, only what a filter reads.
SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, owner_region, ver,
       id, start, start + duration, state, account, name, type, region, service, host, status, traced, '', 1, $operation
FROM calls FINAL WHERE $places
