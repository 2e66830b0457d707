SELECT toUInt32(intDiv(bucket, 12)) AS minute, kind, source_account, source_name, source_type, source_region, account, name, type, region, names, active, start, end, traces, ok, error, throttle, fault, in_progress, observed, total_time, histogram, duration_delta, failures
FROM bucket_rollups WHERE kind IN (0, 1, 2, 3) AND (bucket, rev) IN (<revisions>) AND <key>
