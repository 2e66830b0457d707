-- Of a row of `traces`: its trace lies before a range, wherever its other rows are (search/timed_by_id). A document began
-- before it, so the first did; and an epoch in the id that is not near the document is later than what is plausible for
-- the first, or before the range, too. Without this each trace that reaches into a part from before would be looked for.
(start < {span_start:Int64} AND abs(/*include search/id_epoch*/ - start) > {day:Int64})
