SELECT hex(trace_id) FROM traces WHERE trace_id IN (<traces>) GROUP BY trace_id HAVING sum(revision) > {most:UInt64}
