-- Traces of a range with rows outside of the minutes near it. Rows with minute 0 and a later start were
-- written before rows had a minute, and again since.
SELECT trace_id FROM traces PREWHERE minute < {near_first:UInt64} OR minute > {near_last:UInt64}
WHERE ((minute < {near_first:UInt64} AND (minute != 0 OR lo < {minute_length:Int64}))
       OR minute > {near_last:UInt64}) AND $member
