SELECT trace_id, id, minute FROM (
    SELECT trace_id, id, argMax(minute, ver) AS newest, groupUniqArray(minute) AS minutes FROM <table>
    WHERE <input> AND <cross_minute>
    GROUP BY trace_id, id HAVING length(minutes) > 1
)
ARRAY JOIN minutes AS minute
WHERE minute != newest
