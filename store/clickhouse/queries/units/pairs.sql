-- Calls with the only call directly within the time of each: a `pair` is a case of the outer one, whether it says how it connects,
-- and a case of the inner one, by which store.layers decides whether they are one. Both have ended: a call that may go on makes
-- its trace odd (units/resolution). $tolerance: microseconds.
SELECT inner, outer, outer_case, has_method, inner_case, bitOr(cityHash64(outer_case, has_method, inner_case), $first_case) AS pair
FROM (
    SELECT n.key AS inner, n.outer AS outer, i.case AS inner_case, i.start AS start, i.start + i.duration AS end
    FROM (SELECT key, outer FROM nested WHERE $plain) AS n
    INNER JOIN (
        SELECT key, case, start, duration FROM scope_rows WHERE is_call AND key IN (SELECT key FROM nested)
    ) AS i ON n.key = i.key
) AS p
INNER JOIN (
    SELECT key AS id, maxIf(case, is_call) AS outer_case, maxIf(start, is_call) AS began,
           maxIf(start + duration, is_call) AS ends, max(has_method) AS has_method
    FROM scope_rows WHERE key IN (SELECT outer FROM nested) GROUP BY key
) AS o ON p.outer = o.id
WHERE start >= began - $tolerance AND end <= ends + $tolerance
