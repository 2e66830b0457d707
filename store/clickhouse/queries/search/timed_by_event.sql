-- The last arrival of a document.
SELECT trace_id, max(updated) AS at, $buckets AS buckets FROM traces
WHERE $condition GROUP BY trace_id HAVING max(sampled) = 1
