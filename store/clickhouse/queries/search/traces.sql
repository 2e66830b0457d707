-- Links are rare: checking whether there are any costs less than planning a query for those of a trace.
SELECT hex(trace_id), max(updated), sum(revision), (SELECT count() FROM links) > 0 FROM traces
WHERE trace_id IN {ids:Array(FixedString(16))} GROUP BY trace_id HAVING max(sampled) = 1
