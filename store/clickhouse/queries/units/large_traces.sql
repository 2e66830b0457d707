-- The traces among these with more than {most} documents, those that were replaced included.
SELECT hex(trace_id) FROM traces WHERE trace_id IN ($traces) GROUP BY trace_id HAVING sum(revision) > {most:UInt64}
