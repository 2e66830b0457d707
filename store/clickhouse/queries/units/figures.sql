-- The figures of units before they are drawn, a row for each fact, minute and $bucket. `times`, `moved`: the time of
-- each unit, and of those with work after their answer both times.
SELECT $bucket AS bucket, fact, toUInt32(greatest(0, intDiv(start, $minute))) AS minute, count() AS units,
       sum($weight) AS weights, sum(toInt128(duration) * $weight) AS total, min(start) AS first, max(start + duration) AS last,
       $visits AS visits, groupArray($time) AS times,
       groupArrayIf((time, whole, toInt64($weight)), whole != time) AS moved
FROM (
    SELECT *, /*include units/histogram_bucket column=duration power=power*/ AS time,
           /*include units/histogram_bucket column=last_duration power=last_power*/ AS whole
    FROM (
        SELECT *, /*include units/power column=duration*/ AS power, /*include units/power column=last_duration*/ AS last_power
        FROM facts
    )
)
GROUP BY bucket, fact, minute
