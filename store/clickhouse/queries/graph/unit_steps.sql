-- Aggregates of units per step. The traces in a step are not counted.
SELECT bucket, /*include units/column_aliases per_trace=0*/ FROM (/*include units/count*/)
