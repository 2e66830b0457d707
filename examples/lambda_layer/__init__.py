"""A Lambda layer with `raymap_lambda`, the extension that sends a function's traces to Raymap."""
