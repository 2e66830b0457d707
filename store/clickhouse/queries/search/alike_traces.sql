-- The traces of a scan range by what is counted of each (store.stats_query): those with the same units in one row, with the
-- response times of each unit as 8 bytes each (a list would be decoded number by number; + 2^62, as a trailing zero byte is
-- no part of a text); and in one row, not `plain`, the traces that have to be read. $length: microseconds of a step, 0 for none.
SELECT plain, step, arrayMap(unit -> (unit.1, unit.2), units) AS alike, count(),
       arrayMap(each -> arrayStringConcat(arrayMap(took -> reinterpretAsString(toInt64(took) + toInt64({offset:Int64})), each)),
                groupArrayForEach(arrayMap(unit -> unit.3, units))) AS times,
       groupArrayIf((hex(trace_id), at), NOT plain)
FROM (
    SELECT traces.trace_id AS trace_id, traces.at AS at,
           traces.certain AND documents.documents > 0 AND documents.documents <= 300 AND calls.calls <= 300
               AND documents.documents = length(arrayDistinct(documents.ids)) AND calls.calls = length(arrayDistinct(calls.ids))
               AND NOT ($doubtful) AS plain,
           if(plain AND $length > 0, intDiv(at, greatest($length, 1)) * $length, 0) AS step,
           if(plain, arraySort($units), []) AS units
    FROM (SELECT trace_id, at, ($certain) AND trace_id NOT IN ($far) AS certain FROM ($timed) WHERE $where) AS traces
    LEFT JOIN (
        SELECT trace_id, count() AS documents, groupArray(id) AS ids, $of_documents
        FROM segments FINAL WHERE $rows GROUP BY trace_id
    ) AS documents ON traces.trace_id = documents.trace_id
    LEFT JOIN (
        SELECT trace_id, count() AS calls, groupArray(id) AS ids, $of_calls
        FROM calls FINAL WHERE $rows GROUP BY trace_id
    ) AS calls ON traces.trace_id = calls.trace_id
)
GROUP BY plain, step, alike
