-- Aggregates by node or edge of pieces of minutes (counted_piece and stored_piece). They are added here because a trace
-- may be in several pieces of a minute.
SELECT kind, /*include units/key*/, names_, active_, start_, end_, /*include units/trace_minutes*/ AS trace_minutes_,
       ok_, error_, throttle_, fault_, in_progress_, observed_, total_time_, histogram_, duration_delta_, failures_
FROM (
    SELECT kind, /*include units/key*/, groupUniqArrayArray(arrayMap(each -> (toUInt32(minute), each.1, each.2), traces)) AS visits,
           /*include units/sums per_trace=count()*/
    FROM ($pieces) GROUP BY kind, /*include units/key*/
)
