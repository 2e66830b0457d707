-- Traces with a segment that ended in the range: those that started near it, and those that last long.
SELECT trace_id FROM segments
WHERE minute BETWEEN {first_minute:UInt64} AND {span_end_minute:UInt64}
  AND /*include search/finished_segment end=span_end*/
UNION ALL
SELECT trace_id FROM segments
WHERE minute < {first_minute:UInt64} AND duration >= {long_duration:Int64}
  AND /*include search/finished_segment end=span_end*/
