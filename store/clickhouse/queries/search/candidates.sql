-- A page of the traces of a scan range, newest first.
SELECT hex(trace_id), at, buckets, $certain AS certain FROM ($timed)
WHERE $where ORDER BY at DESC, trace_id DESC LIMIT {size:UInt64}
