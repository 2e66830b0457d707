-- Columns of the aggregates of one node or edge. $per_trace: what counts traces, `trace_minutes` or `traces`.
names, active, start, end, $per_trace, ok, error, throttle, fault, in_progress, observed, total_time, histogram, duration_delta, failures
