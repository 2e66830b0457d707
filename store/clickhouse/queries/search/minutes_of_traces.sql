-- All minutes of the traces with rows in some: what a row makes of others, such as an answered call, lies there.
SELECT DISTINCT minute FROM traces WHERE trace_id IN (SELECT trace_id FROM traces WHERE $minutes)
