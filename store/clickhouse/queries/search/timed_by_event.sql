-- The last arrival of a document.
SELECT trace_id, max(updated) AS at, $minutes AS minutes FROM traces
WHERE $condition GROUP BY trace_id HAVING max(sampled) = 1
