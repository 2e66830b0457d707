independent = 0 AND state != 0
AND start + duration >= {span_start:Int64} AND start + duration < {$end:Int64}
