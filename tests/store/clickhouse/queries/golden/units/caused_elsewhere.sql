INSERT INTO odd_traces (trace_id, bucket, is_open, is_odd)
SELECT DISTINCT trace_id, bucket, 1, 1 FROM scope_rows WHERE trace_id IN (
    SELECT trace_id FROM crossing_refs WHERE sends = 1 AND trace_id IN (SELECT trace_id FROM scope_rows)
)
