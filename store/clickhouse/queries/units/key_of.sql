-- The key of an id in a trace: a hash with a random seed.
sipHash64Keyed(($seed, $seed), $trace, $id)
