INSERT INTO rollups (width, kind, bucket, source_account, source_name, source_type, source_region, account, name, type, region, names, active, start, end, trace_minutes, ok, error, throttle, fault, in_progress, observed, total_time, histogram, duration_delta, failures, complete, rows, oldest, checksum, buckets, revisions, rev) SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_insert_threads = 1
SELECT toUInt16(1) AS width_, kind, minute, source_account, source_name, source_type, source_region, account, name, type, region, names_, active_, start_, end_, per_trace_, ok_, error_, throttle_, fault_, in_progress_, observed_, total_time_, histogram_, duration_delta_, failures_, toUInt8(1) AS complete_, toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt16(0) AS buckets_, toUInt64(0) AS revisions_, {rev:UInt64} AS rev_
FROM (
    WITH (
        SELECT max(arrayMax(traces.weight)) > 1 FROM bucket_rollups
        WHERE kind IN (0, 3) AND <buckets> AND (bucket, rev) IN {revisions:Array(Tuple(UInt64, UInt64))}
    ) AS weighed
    SELECT kind, toUInt32(intDiv(bucket, 12)) AS minute, source_account, source_name, source_type, source_region, account, name, type, region,
           arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, if(weighed,arraySum(minMapIf(traces.trace,traces.weight,weighed).2),uniqExactArrayIf(traces.trace,not(weighed))) AS per_trace_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_
    FROM bucket_rollups WHERE kind IN (0, 1, 2, 3) AND <buckets> AND (bucket, rev) IN {revisions:Array(Tuple(UInt64, UInt64))}
    GROUP BY kind, minute, source_account, source_name, source_type, source_region, account, name, type, region
)
UNION ALL
SELECT width, 255, bucket, '', '', '', '', '', '', '', '', [], 0, low, high, 0, 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       width = 1, rows, toDateTime(oldest), checksum, buckets, revisions, {rev:UInt64}
FROM (
    SELECT each.1 AS width, each.2 AS bucket, each.3 AS rows, each.4 AS checksum, each.5 AS oldest, each.6 AS low,
           each.7 AS high, each.8 AS buckets, each.9 AS revisions
    FROM (SELECT arrayJoin({versions:Array(Tuple(UInt16, UInt32, UInt64, UInt64, UInt32, Int64, Int64, UInt16, UInt64))}) AS each)
)
