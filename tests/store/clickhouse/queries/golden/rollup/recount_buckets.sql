INSERT INTO bucket_rollups (bucket, kind, source_account, source_name, source_type, source_region, account, name, type, region, names, active, start, end, traces, ok, error, throttle, fault, in_progress, observed, total_time, histogram, duration_delta, failures, rows, oldest, checksum, far_rows, far_checksum, named, excess, rev) SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_insert_threads = 1
SELECT bucket, kind, source_account_, source_name_, source_type_, source_region_, account_, name_, type_, region_, names_, active_, start_, end_, traces_, ok_, error_, throttle_, fault_, in_progress_, observed_, total_time_, histogram_, duration_delta_, failures_,
       toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt64(0) AS far_rows_,
       toUInt64(0) AS far_checksum_, toUInt32(0) AS named_, toUInt8(0) AS excess_, {rev:UInt64} AS rev_
FROM (SELECT bucket, kind, source_account_, source_name_, source_type_, source_region_, account_, name_, type_, region_, names_, active_, start_, end_, traces_, ok_, error_, throttle_,
       fault_, in_progress_, observed_, total_time_,
       arraySort(times) AS sorted, <ordered> AS ordered,
       arrayFilter((sum, here, next) -> here != next, <sums>, ordered,
                   arrayPopFront(arrayPushBack(ordered, 18446744073709551615))) AS last,
       mapFromArrays(
           arrayCompact(ordered),
           arrayMap((sum, before) -> toUInt64(sum - before), last,
                    arrayPopBack(arrayPushFront(last, 0)))
       ) AS histogram_,
       arrayConcat(arrayMap(each -> (each.2, each.3), moved), arrayMap(each -> (each.1, -each.3), moved)) AS changes,
       CAST(arrayReduce('sumMap', arrayMap(each -> [each.1], changes), arrayMap(each -> [each.2], changes)),
            'Map(UInt64, Int64)') AS duration_delta_,
       CAST(arrayReduce('sumMap', arrayMap(each -> [each.1], failed), arrayMap(each -> [each.2], failed)),
            'Map(String, UInt64)') AS failures_
FROM (
    SELECT <bucket> AS bucket, units.kind AS kind,
           cityHash64(units.source_account, units.source_name, units.source_type, units.source_region,
                      units.account, units.name, units.type, units.region) AS key,
           any(units.source_account) AS source_account_, any(units.source_name) AS source_name_,
           any(units.source_type) AS source_type_, any(units.source_region) AS source_region_,
           any(units.account) AS account_, any(units.name) AS name_, any(units.type) AS type_,
           any(units.region) AS region_,
           arraySort(groupUniqArrayIf(toString(word), word != '')) AS names_,
           max(active) AS active_, min(start) AS start_, max(start + duration) AS end_,
           <traces> AS traces_,
           sumIf(<weight>, state = 1) AS ok_, sumIf(<weight>, state = 2) AS error_,
           sumIf(<weight>, state = 3) AS throttle_, sumIf(<weight>, state = 4) AS fault_,
           sumIf(<weight>, state = 0) AS in_progress_, count() AS observed_,
           sumIf(toInt128(duration) * <weight>, state > 0) AS total_time_,
           groupArrayIf(<time>, state > 0) AS times,
           groupArrayIf((time, whole, toInt64(<weight>)), state > 0 AND whole != time) AS moved,
           groupArrayIf((if(state > 1, concat(toString(state), ':', multiIf(exception != '', toString(exception), status >= 400, concat('HTTP ', toString(status)), 'No exception recorded')), ''), toUInt64(<weight>)), state > 1) AS failed
    FROM (
        SELECT *, toUInt64(if(duration < 100, duration, intDiv(duration + intDiv((power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20)), 2), (power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20))) * (power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20)))) AS time,
               toUInt64(if(last_duration < 100, last_duration, intDiv(last_duration + intDiv((last_power * multiIf(intDiv(last_duration, last_power) < 200, 5, intDiv(last_duration, last_power) < 500, 10, 20)), 2), (last_power * multiIf(intDiv(last_duration, last_power) < 200, 5, intDiv(last_duration, last_power) < 500, 10, 20))) * (last_power * multiIf(intDiv(last_duration, last_power) < 200, 5, intDiv(last_duration, last_power) < 500, 10, 20)))) AS whole
        FROM (
            SELECT *, multiIf(duration < 1000, 1, duration < 10000, 10, duration < 100000, 100, duration < 1000000, 1000, duration < 10000000, 10000, duration < 100000000, 100000, duration < 1000000000, 1000000, duration < 10000000000, 10000000, duration < 100000000000, 100000000, duration < 1000000000000, 1000000000, duration < 10000000000000, 10000000000, duration < 100000000000000, 100000000000, 1000000000000) AS power, multiIf(last_duration < 1000, 1, last_duration < 10000, 10, last_duration < 100000, 100, last_duration < 1000000, 1000, last_duration < 10000000, 10000, last_duration < 100000000, 100000, last_duration < 1000000000, 1000000, last_duration < 10000000000, 10000000, last_duration < 100000000000, 100000000, last_duration < 1000000000000, 1000000000, last_duration < 10000000000000, 10000000000, last_duration < 100000000000000, 100000000000, 1000000000000) AS last_power
            FROM (<units>) WHERE <key>
        )
    ) AS units
    GROUP BY bucket, kind, key
))
UNION ALL
SELECT bucket, 255, '', '', '', '', '', '', '', '', [], 0, low, high, [], 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       rows, toDateTime(oldest), checksum, far_rows, far_checksum, named, excess, {rev:UInt64}
FROM (
    SELECT each.1 AS bucket, each.2 AS rows, each.3 AS checksum, each.4 AS oldest, each.5 AS low, each.6 AS high,
           each.7 AS far_rows, each.8 AS far_checksum, each.9 AS named, each.10 AS excess
    FROM (SELECT arrayJoin({versions:Array(Tuple(UInt64, UInt64, UInt64, UInt32, Int64, Int64, UInt64, UInt64, UInt32, UInt8))}) AS each)
)
