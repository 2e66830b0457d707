-- Names of nodes that sent segments. A column of few values and two flags of a range of the sort key: a million rows take
-- some 20 ms. What has been found when time is over is returned.
SELECT DISTINCT name FROM segments WHERE $rows AND independent = 0 AND inferred = 0 LIMIT {size:UInt64}
SETTINGS max_execution_time = {seconds:Float64}, timeout_overflow_mode = 'break'
