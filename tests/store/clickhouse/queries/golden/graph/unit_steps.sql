SELECT bucket, names_, active_, start_, end_, 0, ok_, error_, throttle_, fault_, in_progress_, observed_, total_time_, histogram_, duration_delta_, failures_ FROM (SELECT bucket, kind, source_account_, source_name_, source_type_, source_region_, account_, name_, type_, region_, names_, active_, start_, end_, traces_,
       counts[1] AS ok_, counts[2] AS error_, counts[3] AS throttle_, counts[4] AS fault_, counts[5] AS in_progress_,
       observed_, total_time_,
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
    SELECT bucket, kind,
           cityHash64(source_account, source_name, source_type, source_region, account, name, type, region) AS key,
           any(source_account) AS source_account_, any(source_name) AS source_name_,
           any(source_type) AS source_type_, any(source_region) AS source_region_,
           any(account) AS account_, any(name) AS name_, any(type) AS type_, any(region) AS region_,
           arraySort(groupUniqArrayIf(toString(word), word != '')) AS names_,
           max(active) AS active_, min(first) AS start_, max(drawn.last) AS end_, <traces> AS traces_,
           sumResample(1, 6, 1)(weights, place) AS counts, sum(units) AS observed_,
           sumIf(total, ended) AS total_time_,
           groupArrayArrayIf(drawn.times, ended) AS times,
           groupArrayArrayIf(drawn.moved, ended AND is_node) AS moved,
           groupArrayIf((failure, toUInt64(weights)), failure != '') AS failed
    FROM (<units>) AS drawn
    WHERE <key>
    GROUP BY bucket, kind, key
))
