-- The newest traces of a window that take so long, as newest_rows.sql names them: by their first bucket.
SELECT hex(trace_id), min(lo) AS newest, min(bucket) AS first, first, 1 FROM traces
WHERE minute BETWEEN {first_minute:UInt64} AND {last_minute:UInt64}
GROUP BY trace_id HAVING max(end) - min(lo) >= $least
ORDER BY first DESC LIMIT {few:UInt64} WITH TIES
