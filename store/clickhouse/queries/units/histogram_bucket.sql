-- `store.rules.histogram.bucket` of a column of microseconds, given the column of its units/power. With the power written
-- out in it the expression takes longer to plan than a minute takes to aggregate.
toUInt64(if($column < 100, $column, intDiv($column + intDiv(($power * multiIf(intDiv($column, $power) < 200, 5, intDiv($column, $power) < 500, 10, 20)), 2), ($power * multiIf(intDiv($column, $power) < 200, 5, intDiv($column, $power) < 500, 10, 20))) * ($power * multiIf(intDiv($column, $power) < 200, 5, intDiv($column, $power) < 500, 10, 20))))
