-- Aggregates of units per step.
SELECT bucket, /*include units/column_aliases*/ FROM (/*include units/count*/)
