-- Writes one part, so that a reader of a marker sees all rows of its revision.
SETTINGS min_insert_block_size_rows = 1000000000, min_insert_block_size_bytes = 0, max_insert_threads = 1
