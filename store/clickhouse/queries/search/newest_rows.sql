-- The newest rows of a window that fit, read from its end backwards. $minutes: where to look.
SELECT hex(trace_id), minute FROM $table
WHERE minute BETWEEN {first_minute:UInt64} AND {last_minute:UInt64} AND $minutes AND $condition
ORDER BY minute DESC LIMIT {few:UInt64}
