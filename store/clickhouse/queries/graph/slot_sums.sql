-- Sums over slots without histograms: $part is the number of the sum that a row belongs to, $slots are ranges of the key,
-- $revisions the slots with their revisions. Markers have an empty key and form a group of their own. `named` is a number for
-- kind, key and names (slot_names), which are known in the process from an earlier read for the most part.
SELECT part, id, markers, cityHash64(kind, /*include units/key*/, names_) AS named, * EXCEPT (part, id, markers, kind, /*include units/key*/, names_, histogram_) FROM (
    SELECT $part AS part, cityHash64($part, kind, /*include units/key*/) AS id, uniqExactIf((width, bucket), kind = $marker) AS markers,
           kind, /*include units/key*/, /*include units/sums_without_histogram per_trace=sum(trace_minutes)*/ FROM rollups WHERE kind IN ($series_kinds, $marker) AND $slots AND $revisions
    GROUP BY part, kind, /*include units/key*/
)
