SELECT 1 FROM segments WHERE <rows> AND <named> AND kind = 2 AND parent_id != 0 LIMIT 1
