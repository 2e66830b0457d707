-- Sums over the newest revisions of slots per step of minutes, of the units that match $key.
SELECT intDiv(bucket, {step:UInt32}) AS number, /*include units/sums per_trace=sum(trace_minutes)*/ FROM rollups
WHERE kind < $marker AND $slots AND $key AND /*include graph/current_versions*/
GROUP BY number
