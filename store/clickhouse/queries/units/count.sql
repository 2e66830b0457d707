-- Aggregates of the units that match $key, one row per $bucket, kind, and node or edge. `traces_`: hashes of a node's
-- traces with their weights, without which those of several buckets could not be added. The remaining places depend on whether weights occur
-- (units/aggregates.py). Histograms are built from sorted arrays after grouping: `sumMap` over rows takes twice as long.
-- So are the maps of few rows, failures and work after the answer: `sumMapIf` makes a map of every row.
SELECT bucket, kind, /*include units/key_aliases*/, names_, active_, start_, end_, traces_, ok_, error_, throttle_,
       fault_, in_progress_, observed_, total_time_,
       arraySort(times) AS sorted, $ordered AS ordered,
       arrayFilter((sum, here, next) -> here != next, $sums, ordered,
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
    SELECT $bucket AS bucket, units.kind AS kind,
           cityHash64(units.source_account, units.source_name, units.source_type, units.source_region,
                      units.account, units.name, units.type, units.region) AS key,
           any(units.source_account) AS source_account_, any(units.source_name) AS source_name_,
           any(units.source_type) AS source_type_, any(units.source_region) AS source_region_,
           any(units.account) AS account_, any(units.name) AS name_, any(units.type) AS type_,
           any(units.region) AS region_,
           arraySort(groupUniqArrayIf(toString(word), word != '')) AS names_,
           max(active) AS active_, min(start) AS start_, max(start + duration) AS end_,
           $traces AS traces_,
           sumIf($weight, state = 1) AS ok_, sumIf($weight, state = 2) AS error_,
           sumIf($weight, state = 3) AS throttle_, sumIf($weight, state = 4) AS fault_,
           sumIf($weight, state = 0) AS in_progress_, count() AS observed_,
           sumIf(toInt128(duration) * $weight, state > 0) AS total_time_,
           groupArrayIf($time, state > 0) AS times,
           groupArrayIf((time, whole, toInt64($weight)), state > 0 AND whole != time) AS moved,
           groupArrayIf((if(state > 1, /*include units/failure_label*/, ''), toUInt64($weight)), state > 1) AS failed
    FROM (
        SELECT *, /*include units/histogram_bucket column=duration power=power*/ AS time,
               /*include units/histogram_bucket column=last_duration power=last_power*/ AS whole
        FROM (
            SELECT *, /*include units/power column=duration*/ AS power, /*include units/power column=last_duration*/ AS last_power
            FROM ($units) WHERE $key
        )
    ) AS units
    GROUP BY bucket, kind, key
)
