-- Adds the facts of the links whose other ends a look-up has found, and of the roots that these caused: in place of a
-- parent the case of what a link leads to, in place of an answer that of what it comes from; or $caused.
INSERT INTO facts (fact, is_link, parent, case, answer, trace, start, duration, last_duration, weight)
SELECT cityHash64(1, owner, case, other_end), 1, owner, case, other_end, trace, start,
       greatest(0, if(received = 0, start, received) - ended) AS age, age, link_weight
FROM linked WHERE other_end != 0 AND owner != 0
UNION ALL
SELECT cityHash64($caused, case, 0), 0, $caused, case, 0, trace, start, duration, last_duration, weight
FROM linked WHERE other_end != 0 AND is_root LIMIT 1 BY key
