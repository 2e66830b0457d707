-- The columns of units/columns as units/count and units/sums name them.
names_, active_, start_, end_, $per_trace, ok_, error_, throttle_, fault_, in_progress_, observed_, total_time_, histogram_, duration_delta_, failures_
