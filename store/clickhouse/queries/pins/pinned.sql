-- Pins in their current version, those that were removed excluded.
SELECT hex(trace_id), note, at, rows, checksum, ver
FROM pins FINAL
WHERE removed = 0 AND $condition
