"""Rules of tracing, one per module: pure functions used by decoders, stores and the API alike."""
