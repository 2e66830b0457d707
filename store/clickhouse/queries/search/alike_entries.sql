-- Of the documents of a trace what says which is the entry: mostly the earliest segment, which then has no parent.
countIf(independent = $Independent.NO) AS segments, argMinIf((parent_id, state, duration), (start, id), independent = $Independent.NO) AS entry
