"""The write-ahead journal: what was accepted, in order, on disk before it is acknowledged."""
