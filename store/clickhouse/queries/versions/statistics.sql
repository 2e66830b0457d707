-- Statistics of the segments of some nodes by what they reported ($value: a column, such as the version), and by the multiple of step (microseconds; 0: the whole
-- window): one scan of the window by the sort key. FINAL drops the replaced copies of a bucket, the inner GROUP BY
-- those in other buckets of the window. What fetched messages is left out where a segment below it processes them
-- ($later; store.messages). $weight: what a segment counts as. $request: whether it is part of no other.
SELECT if(value IN {apart:Array(String)}, value, {rest:String}) AS of,
       start - if({step:UInt64} = 0, start, start % {step:UInt64}) AS at, min(start), max(start),
       sumIf($weight, state = $State.OK), sumIf($weight, state = $State.ERROR), sumIf($weight, state = $State.THROTTLE), sumIf($weight, state = $State.FAULT),
       sumIf($weight, state = $State.IN_PROGRESS), sumIf(toInt128(duration) * $weight, state > $State.IN_PROGRESS),
       sumMapIf(map(time, toUInt64($weight)), state > $State.IN_PROGRESS), count()
FROM (
    SELECT *, /*include units/histogram_bucket column=duration power=power*/ AS time
    FROM (
        SELECT newest.1 AS start, newest.2 AS duration, newest.3 AS state, newest.4 AS value, newest.5 AS weight,
               /*include units/power column=duration*/ AS power
        FROM (
            SELECT argMax((start, duration, state, toString($value), weight, fetched), ver) AS newest
            FROM $segments
            WHERE $rows AND $nodes AND independent = $Independent.NO AND fetched != $Fetched.UNSEEN AND $not_pinned_copy AND $request
            GROUP BY trace_id, id
            HAVING newest.6 = $Fetched.NO OR (trace_id, id) NOT IN (
                SELECT trace_id, parent_id FROM segments FINAL
                WHERE $later AND $nodes AND independent = $Independent.NO AND $processes AND $not_pinned_copy
            )
        )
    )
)
WHERE {all:UInt8} OR value IN {apart:Array(String)}
GROUP BY of, at
ORDER BY of, at
