-- Aggregates of units by node or edge.
SELECT kind, /*include units/key_aliases*/, /*include units/column_aliases*/ FROM (/*include units/count*/)
