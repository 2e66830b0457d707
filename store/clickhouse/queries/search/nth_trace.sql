-- The trace of a scan range with so many newer ones, and the next.
SELECT hex(trace_id), at FROM ($timed) WHERE $where ORDER BY at DESC, trace_id DESC LIMIT 2 OFFSET {offset:UInt64}
