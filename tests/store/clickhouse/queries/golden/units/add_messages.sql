INSERT INTO facts (fact, is_link, parent, case, answer, trace, start, duration, last_duration, weight)
SELECT cityHash64(2, above, case), 1, above, case, 0, cityHash64(trace_id), start, greatest(0, start - ended) AS age, age, weight
FROM (
    SELECT trace_id, refers_to, case, start, weight FROM scope_rows
    WHERE <target> AND NOT is_call AND NOT independent AND kind = 5 AND <plain>
) AS s
INNER ANY JOIN (
    SELECT key, case AS above, start + duration AS ended FROM scope_rows
    WHERE is_call AND key IN (SELECT refers_to FROM scope_rows WHERE kind = 5 AND NOT independent)
) AS p ON s.refers_to = p.key
