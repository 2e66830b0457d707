SELECT window, buckets, kind, source_account, source_name, source_type, source_region, account, name, type, region, names_, active_, start_, end_, visits, ok_, error_, throttle_, fault_, in_progress_,
       observed_, total_time_, histogram_, duration_delta_, failures_
FROM (
    SELECT <window> AS window, uniqExact(bucket) AS buckets, kind, source_account, source_name, source_type, source_region, account, name, type, region,
           groupUniqArrayArray(arrayMap(each -> (toUInt32(intDiv(bucket, 12)), each.1, each.2), traces)) AS visits,
           arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, 0 AS per_trace_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_
    FROM bucket_rollups WHERE kind IN (0, 1, 2, 3, 255) AND (bucket, rev) IN (<revisions>)
    GROUP BY window, kind, source_account, source_name, source_type, source_region, account, name, type, region
)
