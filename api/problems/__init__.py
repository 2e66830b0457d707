"""Problems: which nodes and edges fail more, are slower or are called less than usual, since when, and where it begins.

See README.md.
"""
