independent = $Independent.NO AND state != $State.IN_PROGRESS
AND start + duration >= {span_start:Int64} AND start + duration < {$end:Int64}
