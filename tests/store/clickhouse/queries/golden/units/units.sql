SELECT figures.bucket AS bucket, minute, kind, source_account, source_name, source_type, source_region,
       account, name, type, region, word, is_node, active, place, ended, failure, units, weights, total, first, last, visits, times, moved
FROM (SELECT <bucket> AS bucket, fact, toUInt32(greatest(0, intDiv(start, 60000000))) AS minute, count() AS units,
       sum(<weight>) AS weights, sum(toInt128(duration) * <weight>) AS total, min(start) AS first, max(start + duration) AS last,
       <visits> AS visits, groupArray(<time>) AS times,
       groupArrayIf((time, whole, toInt64(<weight>)), whole != time) AS moved
FROM (
    SELECT *, toUInt64(if(duration < 100, duration, intDiv(duration + intDiv((power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20)), 2), (power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20))) * (power * multiIf(intDiv(duration, power) < 200, 5, intDiv(duration, power) < 500, 10, 20)))) AS time,
           toUInt64(if(last_duration < 100, last_duration, intDiv(last_duration + intDiv((last_power * multiIf(intDiv(last_duration, last_power) < 200, 5, intDiv(last_duration, last_power) < 500, 10, 20)), 2), (last_power * multiIf(intDiv(last_duration, last_power) < 200, 5, intDiv(last_duration, last_power) < 500, 10, 20))) * (last_power * multiIf(intDiv(last_duration, last_power) < 200, 5, intDiv(last_duration, last_power) < 500, 10, 20)))) AS whole
    FROM (
        SELECT *, multiIf(duration < 1000, 1, duration < 10000, 10, duration < 100000, 100, duration < 1000000, 1000, duration < 10000000, 10000, duration < 100000000, 100000, duration < 1000000000, 1000000, duration < 10000000000, 10000000, duration < 100000000000, 100000000, duration < 1000000000000, 1000000000, duration < 10000000000000, 10000000000, duration < 100000000000000, 100000000000, 1000000000000) AS power, multiIf(last_duration < 1000, 1, last_duration < 10000, 10, last_duration < 100000, 100, last_duration < 1000000, 1000, last_duration < 10000000, 10000, last_duration < 100000000, 100000, last_duration < 1000000000, 1000000, last_duration < 10000000000, 10000000, last_duration < 100000000000, 100000000, last_duration < 1000000000000, 1000000000, last_duration < 10000000000000, 10000000000, last_duration < 100000000000000, 100000000000, 1000000000000) AS last_power
        FROM facts
    )
)
GROUP BY bucket, fact, minute) AS figures INNER JOIN drawing ON figures.fact = drawing.fact
