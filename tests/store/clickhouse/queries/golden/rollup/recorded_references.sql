SELECT hex(trace_id), bucket FROM cross_bucket_refs WHERE trace_id IN {ids:Array(FixedString(16))}
