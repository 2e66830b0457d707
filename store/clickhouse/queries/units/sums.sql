-- Aggregates as sums over rows of `rollups` or `bucket_rollups`, in the order of units/columns. $per_trace: of what
-- counts traces.
arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, $per_trace AS per_trace_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_
