SELECT if(value IN {apart:Array(String)}, value, {rest:String}) AS of,
       start - if({step:UInt64} = 0, start, start % {step:UInt64}) AS at, min(start), max(start),
       sumIf(<weight>, state = 1), sumIf(<weight>, state = 2), sumIf(<weight>, state = 3), sumIf(<weight>, state = 4),
       sumIf(<weight>, state = 0), sumIf(toInt128(duration) * <weight>, state > 0),
       sumMapIf(map(time, toUInt64(<weight>)), state > 0), count()
FROM (
    SELECT *, toUInt64(if(duration < 100, duration, intDiv(duration + intDiv((power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20)), 2), (power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20))) * (power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20)))) AS time
    FROM (
        SELECT newest.1 AS start, newest.2 AS duration, newest.3 AS state, newest.4 AS value, newest.5 AS weight,
               multiIf(duration < 1000, 1, duration < 10000, 10, duration < 100000, 100, duration < 1000000, 1000, duration < 10000000, 10000, duration < 100000000, 100000, duration < 1000000000, 1000000, duration < 10000000000, 10000000, duration < 100000000000, 100000000, duration < 1000000000000, 1000000000, duration < 10000000000000, 10000000000, duration < 100000000000000, 100000000000, 1000000000000) AS power
        FROM (
            SELECT argMax((start, duration, state, toString(<value>), weight, fetched), ver) AS newest
            FROM <segments>
            WHERE <rows> AND <nodes> AND independent = 0 AND fetched != 1 AND <not_pinned_copy> AND <request>
            GROUP BY trace_id, id
            HAVING newest.6 = 0 OR (trace_id, id) NOT IN (
                SELECT trace_id, parent_id FROM segments FINAL
                WHERE <later> AND <nodes> AND independent = 0 AND (kind = 5 AND fetched != 1) AND <not_pinned_copy>
            )
        )
    )
)
WHERE {all:UInt8} OR value IN {apart:Array(String)}
GROUP BY of, at
ORDER BY of, at
