-- Sums over slots without histograms: $part is the number of the sum that a row belongs to, $slots are ranges of the key,
-- $revisions the slots with their revisions. Markers have an empty key and form a group of their own.
SELECT $part AS part, cityHash64($part, kind, /*include units/key*/) AS id, uniqExactIf((width, bucket), kind = $marker) AS markers,
       kind, /*include units/key*/, /*include units/sums_without_histogram per_trace=sum(trace_minutes)*/ FROM rollups WHERE kind IN ($series_kinds, $marker) AND $slots AND $revisions
GROUP BY part, kind, /*include units/key*/
