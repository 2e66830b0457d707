-- What the units of some traces need of their documents, and the hash by which `bucket_rollups` knows each trace.
SELECT hex(trace_id), id, parent_id, independent, kind, fetched, inferred, start, start + duration,
       start + greatest(duration, last_duration), state, account, name, type, region, service, method, status,
       before_account, before_name, before_type, before_region, user_agent, exception, members, weight, $deployed, ver, cityHash64(trace_id)
FROM segments FINAL WHERE $places
