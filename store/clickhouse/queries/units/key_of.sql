-- The key of an id in a trace and bucket.
sipHash64Keyed(($seed, $seed), bucket, trace_id, $id)
