-- Sums over wide slots at some revisions per step of minutes, of the units that match $key.
SELECT intDiv(bucket, {step:UInt32}) AS number, /*include units/sums per_trace=sum(trace_minutes)*/ FROM rollups
WHERE kind < $marker AND $slots AND (width, bucket, rev) IN ($revisions) AND $key
GROUP BY number
