"""Two periods of one map: which differences of its nodes and edges are significant."""
