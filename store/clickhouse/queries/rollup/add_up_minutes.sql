-- Writes minutes as the sums of their buckets, with the versions of the minutes and of the wide buckets that they make
-- out of date. A trace in several buckets of a minute counts once, with its least weight; where all weights are 1, as
-- mostly, that is their number: a map of all traces of a minute takes longer than all the rest.
INSERT INTO rollups (/*include rollup/insert_columns*/) /*include rollup/single_part*/
SELECT toUInt16(1) AS width_, kind, minute, /*include units/key*/, /*include units/column_aliases per_trace=per_trace_*/, /*include rollup/unmarked_columns*/
FROM (
    WITH (
        SELECT max(arrayMax(traces.weight)) > 1 FROM bucket_rollups
        WHERE kind IN ($SeriesKind.NODE, $SeriesKind.BACKGROUND) AND $buckets AND (bucket, rev) IN {revisions:Array(Tuple(UInt64, UInt64))}
    ) AS weighed
    SELECT kind, toUInt32(intDiv(bucket, 12)) AS minute, /*include units/key*/,
           /*include units/sums per_trace=if(weighed,arraySum(minMapIf(traces.trace,traces.weight,weighed).2),uniqExactArrayIf(traces.trace,not(weighed)))*/
    FROM bucket_rollups WHERE kind IN ($series_kinds) AND $buckets AND (bucket, rev) IN {revisions:Array(Tuple(UInt64, UInt64))}
    GROUP BY kind, minute, /*include units/key*/
)
UNION ALL
SELECT width, $marker, bucket, '', '', '', '', '', '', '', '', [], 0, low, high, 0, 0, 0, 0, 0, 0, 0, 0,
       CAST(map(), 'Map(UInt64, UInt64)'), CAST(map(), 'Map(UInt64, Int64)'), CAST(map(), 'Map(String, UInt64)'),
       width = 1, rows, toDateTime(oldest), checksum, buckets, revisions, {rev:UInt64}
FROM (
    SELECT each.1 AS width, each.2 AS bucket, each.3 AS rows, each.4 AS checksum, each.5 AS oldest, each.6 AS low,
           each.7 AS high, each.8 AS buckets, each.9 AS revisions
    FROM (SELECT arrayJoin({versions:Array(Tuple(UInt16, UInt32, UInt64, UInt64, UInt32, Int64, Int64, UInt16, UInt64))}) AS each)
)
