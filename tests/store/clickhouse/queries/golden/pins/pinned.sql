SELECT hex(trace_id), note, at, revision, updated, ver
FROM pins FINAL
WHERE removed = 0 AND <condition>
