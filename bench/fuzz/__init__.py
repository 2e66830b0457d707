"""Mutated inputs for every decoder and parser of what others send."""
