SELECT max(independent = 2), max(kind = 2 AND parent_id != 0) FROM segments WHERE <rows> AND <named>
