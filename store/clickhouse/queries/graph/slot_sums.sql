-- Sums over slots without histograms: $part is the number of the sum that a row belongs to, $slots are ranges of the key,
-- $revisions the slots with their revisions. Markers have an empty key and form a group of their own.
SELECT $part AS part, cityHash64($part, kind, /*include units/key*/) AS id, uniqExactIf((width, bucket), kind = 255) AS markers,
       kind, /*include units/key*/, /*include units/sums_without_histogram per_trace=sum(trace_minutes)*/ FROM rollups WHERE kind IN (0, 1, 2, 3, 255) AND $slots AND $revisions
GROUP BY part, kind, /*include units/key*/
