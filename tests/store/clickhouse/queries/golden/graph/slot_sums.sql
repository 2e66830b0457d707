SELECT part, id, markers, cityHash64(kind, source_account, source_name, source_type, source_region, account, name, type, region, names_) AS named, * EXCEPT (part, id, markers, kind, source_account, source_name, source_type, source_region, account, name, type, region, names_, histogram_) FROM (
    SELECT <part> AS part, cityHash64(<part>, kind, source_account, source_name, source_type, source_region, account, name, type, region) AS id, uniqExactIf((width, bucket), kind = 255) AS markers,
           kind, source_account, source_name, source_type, source_region, account, name, type, region, arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, sum(trace_minutes) AS per_trace_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, map() AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_ FROM rollups WHERE kind IN (0, 1, 2, 3, 255) AND <slots> AND <revisions>
    GROUP BY part, kind, source_account, source_name, source_type, source_region, account, name, type, region
)
