"""Tools that measure a running Raymap: how much it takes in, and what a crash costs."""
