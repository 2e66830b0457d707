-- Columns of the aggregates of one node or edge.
names, active, start, end, trace_minutes, ok, error, throttle, fault, in_progress, observed, total_time, histogram, duration_delta, failures
