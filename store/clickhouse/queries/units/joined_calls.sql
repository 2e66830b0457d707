-- The same as units/calls, of those that are one the one that counts.
SELECT trace_id, if(j.inner != 0, j.inner, s.key) AS answered_as, refers_to, streamed, if(j.inner != 0, j.case, s.case) AS case,
       type, start, duration, weight
FROM (
    SELECT trace_id, key, refers_to, streamed, case, type, start, duration, weight FROM scope_rows
    WHERE $target AND is_call AND $plain AND key NOT IN (SELECT dropped FROM joined)
) AS s
LEFT ANY JOIN joined AS j ON s.key = j.counting
