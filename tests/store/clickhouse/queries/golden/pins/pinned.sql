SELECT hex(trace_id), note, at, rows, checksum, ver
FROM pins FINAL
WHERE removed = 0 AND <condition>
