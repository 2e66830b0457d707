INSERT INTO rollups (width, kind, bucket, source_account, source_name, source_type, source_region, account, name, type, region, names, active, start, end, trace_minutes, ok, error, throttle, fault, in_progress, observed, total_time, histogram, duration_delta, failures, complete, rows, oldest, checksum, buckets, revisions, rev) SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_insert_threads = 1
SELECT toUInt16({width:UInt16}) AS width_, kind, wide, source_account, source_name, source_type, source_region, account, name, type, region, names_, active_, start_, end_, per_trace_, ok_, error_, throttle_, fault_, in_progress_, observed_, total_time_, histogram_, duration_delta_, failures_, toUInt8(1) AS complete_, toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt16(0) AS buckets_, toUInt64(0) AS revisions_, {rev:UInt64} AS rev_
FROM (
    SELECT kind, intDiv(bucket, {width:UInt16}) * {width:UInt16} AS wide, source_account, source_name, source_type, source_region, account, name, type, region, arraySort(groupUniqArrayArray(names)) AS names_, max(active) AS active_, min(start) AS start_,
    max(end) AS end_, sum(trace_minutes) AS per_trace_, sum(ok) AS ok_, sum(error) AS error_,
    sum(throttle) AS throttle_, sum(fault) AS fault_, sum(in_progress) AS in_progress_,
    sum(observed) AS observed_, sum(total_time) AS total_time_, sumMap(histogram) AS histogram_,
    sumMap(duration_delta) AS duration_delta_, sumMap(failures) AS failures_
    FROM (SELECT * REPLACE (if(startsWith(source_account, 'unconfirmed '), replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account)) AS source_account) FROM rollups) AS rollups
    WHERE width = 1 AND kind < 255 AND <slots> AND (bucket, rev) IN (
        SELECT bucket, max(rev) FROM rollups WHERE width = 1 AND kind = 255 AND <slots> GROUP BY bucket
    )
    GROUP BY kind, wide, source_account, source_name, source_type, source_region, account, name, type, region
)
UNION ALL
SELECT toUInt16({width:UInt16}), 255, bucket, '', '', '', '', '', '', '', '', [], 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       1, rows, toDateTime(0), 0, 0, 0, {rev:UInt64}
FROM VALUES('bucket UInt32, rows UInt64', <wides>)
