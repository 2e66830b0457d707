-- The traces of the newest rows of a window that fit, each with the start of its newest and the buckets of its newest and
-- oldest such row, and their number. The table is read backwards; of the last bucket all rows are read. $minutes: where to look.
SELECT hex(trace_id), max(start) AS newest, max(bucket), min(bucket), count() FROM (
    SELECT trace_id, start, bucket FROM $table
    WHERE minute BETWEEN {first_minute:UInt64} AND {last_minute:UInt64} AND $minutes AND $condition
    ORDER BY minute DESC, bucket DESC LIMIT {few:UInt64} WITH TIES
)
GROUP BY trace_id ORDER BY newest DESC, trace_id DESC LIMIT {most:UInt64}
