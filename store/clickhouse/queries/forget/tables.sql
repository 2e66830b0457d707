-- Tables with a column of trace ids. Views have none of their own; staging tables of pins are dropped by `pins`.
SELECT table FROM system.columns WHERE database = currentDatabase() AND name = 'trace_id' AND table IN (
    SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' AND name NOT LIKE 'pinning\\_%'
)
