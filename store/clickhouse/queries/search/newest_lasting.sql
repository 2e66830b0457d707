-- The newest traces of a window that take so long; each with its first minute.
SELECT hex(trace_id), min(minute) AS first FROM traces
WHERE minute BETWEEN {first_minute:UInt64} AND {last_minute:UInt64}
GROUP BY trace_id HAVING max(end) - min(lo) >= $least
ORDER BY first DESC LIMIT {few:UInt64}
