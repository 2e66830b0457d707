-- Traces of a range with rows outside of the buckets near it. Rows with minute 0 and a later start were
-- written before rows had a minute, and again since.
SELECT trace_id FROM traces PREWHERE bucket < {near_first:UInt64} OR bucket > {near_last:UInt64}
WHERE ((bucket < {near_first:UInt64} AND (minute != 0 OR lo < {minute_length:Int64}))
       OR bucket > {near_last:UInt64}) AND $member AND NOT $passed
