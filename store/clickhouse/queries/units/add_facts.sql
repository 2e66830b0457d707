-- Adds the facts of traces that were resolved in Python, given as text: a literal would be interpreted number by number.
INSERT INTO facts (fact, trace, start, duration, last_duration, weight)
SELECT each.1, each.2, each.3, each.4, each.5, each.6
FROM (
    SELECT arrayJoin(CAST({facts:String}, 'Array(Tuple(UInt64, UInt64, Int64, Int64, Int64, UInt32))')) AS each
)
