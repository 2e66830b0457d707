SELECT hex(trace_id), hex(other_trace), other_id, upstream, event_received, weight, document_id,
       independent, account, name, type, region, start, start + duration, state, status, exception, ver
FROM links FINAL WHERE $places
