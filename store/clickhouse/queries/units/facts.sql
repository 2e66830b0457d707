-- The facts of the rows in $target (store.facts): the case of each with that of its parent and its answer, and its
-- figures. Ids are joined, and no rule decides: that is what store.draw is for. A parent that is no case: 0, none; 1,
-- not looked up, or of no known segment; of a function whose event may yet be known, when it arrived, unless it serves
-- no request ($in_background). `is_link`: of a link (units/add_linked). `awaiting`: the same of a function that
-- answers a call which leads to a broker ($is_broker), else 0: of all calls of functions it would make as many facts as there
-- are times at which these arrive.
SELECT cityHash64(parent, case, answer, awaiting) AS fact, toUInt8(0) AS is_link, parent, case, answer, awaiting,
       cityHash64(trace_id) AS trace, start, duration, last_duration, weight
FROM (
    SELECT s.trace_id AS trace_id, s.start AS start, s.duration AS duration, s.last_duration AS last_duration,
           s.weight AS weight, if(p.case = 0, s.awaited, p.case) AS parent, s.case AS case, toUInt64(0) AS answer,
           toUInt64(0) AS awaiting
    FROM (
        SELECT trace_id, refers_to, case, start, duration, last_duration, weight,
               if(NOT has_parent AND NOT $in_background AND $awaits_event, $settle_slot, 0) AS awaited
        FROM scope_rows WHERE $target AND NOT is_call AND NOT independent AND $plain AND $unlinked
    ) AS s
    LEFT ANY JOIN (
        SELECT arrayJoin(arrayPushFront(parts, key)) AS id, case FROM scope_rows WHERE is_call OR NOT independent
        $inner
    ) AS p ON s.refers_to = p.id
    UNION ALL
    SELECT c.trace_id, c.start, c.duration, c.duration, c.weight, $caller AS parent, c.case, a.case AS answer,
           if($is_broker, a.awaiting, 0) AS awaiting
    FROM ($calls) AS c
    LEFT ANY JOIN (
        SELECT refers_to AS id, case, if($awaits_event, $settle_slot, 0) AS awaiting
        FROM scope_rows WHERE NOT is_call AND NOT independent AND refers_to != 0
    ) AS a ON c.answered_as = a.id
    $owners
)
