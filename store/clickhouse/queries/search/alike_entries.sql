-- Of the documents of a trace what says which is the entry: mostly the earliest segment, which then has no parent.
countIf(independent = 0) AS segments, argMinIf((parent_id, state, duration), (start, id), independent = 0) AS entry
