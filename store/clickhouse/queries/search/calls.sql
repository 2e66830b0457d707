SELECT hex(trace_id), document_id, independent, owner_account, owner_name, owner_type, owner_region, ver,
       id, start, start + duration, state, account, name, type, region, service, host, status, traced, exception,
       weight, operation
FROM calls FINAL WHERE $places
