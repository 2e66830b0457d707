-- Traces without a plausible epoch in the id that have a document in the range.
SELECT trace_id FROM segments PREWHERE implausible_epoch = 1
WHERE minute BETWEEN {span_minute:UInt64} AND {span_last_minute:UInt64}
  AND start >= {span_start:Int64} AND start < {span_end:Int64}
