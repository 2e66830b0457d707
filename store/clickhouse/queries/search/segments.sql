SELECT hex(trace_id), id, parent_id, independent, inferred, sampled, start, start + duration,
       start + greatest(duration, last_duration), state, account, name, type, region, service, method, url, status,
       client_ip, user_agent, user, resource_arn, instance_id, availability_zone, exception,
       annotations, members, weight, service_version, environment, operation, kind,
       fetched, before_account, before_name, before_type, before_region, ver, $body
FROM segments FINAL WHERE $places
