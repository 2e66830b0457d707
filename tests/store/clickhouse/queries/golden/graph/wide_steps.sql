SELECT intDiv(bucket, {step:UInt32}) AS number, arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, sum(trace_minutes) AS per_trace_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_ FROM rollups
WHERE kind < 255 AND <slots> AND (width, bucket, rev) IN (<revisions>) AND <key>
GROUP BY number
