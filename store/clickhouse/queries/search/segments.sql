SELECT hex(trace_id), id, parent_id, independent, inferred, sampled, start, start + duration,
       start + greatest(duration, last_duration), state, account, name, type, region, service, method, url, status,
       client_ip, user_agent, exception,
       annotations, members, weight, operation, kind, fetched, before_account, before_name, before_type, before_region, ver,
       $body, $texts
FROM segments FINAL WHERE $places
