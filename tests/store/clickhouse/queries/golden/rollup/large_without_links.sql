SELECT hex(trace_id) FROM places GROUP BY trace_id HAVING sum(documents) > {most:UInt64}
   AND trace_id NOT IN (SELECT trace_id FROM links WHERE trace_id IN (SELECT trace_id FROM places))
   AND trace_id NOT IN (SELECT other_trace FROM links WHERE other_trace IN (SELECT trace_id FROM places))
   AND trace_id NOT IN (SELECT trace_id FROM crossing_refs WHERE trace_id IN (SELECT trace_id FROM places))
