-- The key of an id in a trace.
sipHash64Keyed(($seed, $seed), trace_id, $id)
