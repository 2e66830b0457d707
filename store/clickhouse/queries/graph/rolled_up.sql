-- Sums over the newest revisions of slots, without histograms.
SELECT cityHash64(kind, /*include units/key*/) AS id, kind, /*include units/key*/, /*include units/sums_without_histogram per_trace=sum(trace_minutes)*/ FROM rollups
WHERE kind < $marker AND $slots AND /*include graph/current_versions*/
GROUP BY kind, /*include units/key*/
