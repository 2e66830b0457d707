INSERT INTO facts (fact, is_link, parent, case, answer, trace, start, duration, last_duration, weight)
SELECT cityHash64(2, p.case, s.case), 1, p.case, s.case, 0, cityHash64(trace_id), start,
       if(ended = 0, 0, greatest(0, start - ended)) AS age, age, weight
FROM (
    SELECT trace_id, key, refers_to, case, start, weight FROM scope_rows
    WHERE <target> AND NOT is_call AND NOT independent AND (kind != 2 AND (kind = 5 OR owner_name != '')) AND <plain>
) AS s
LEFT ANY JOIN (
    SELECT arrayJoin(arrayPushFront(parts, key)) AS id, case, if(is_call AND name != '', start + duration, 0) AS ended
    FROM scope_rows WHERE is_call OR NOT independent
    <inner>
) AS p ON s.refers_to = p.id
WHERE ended != 0 OR <untold>
