start, body, name, type, account, region, request_id, hex(trace_id), span_id, severity, record, log_group, log_stream,
       source, ordinal, failure
