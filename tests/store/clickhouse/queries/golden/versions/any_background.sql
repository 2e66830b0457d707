SELECT 1 FROM segments WHERE <rows> AND <named> AND (parent_id = 0 AND kind IN (1, 3, 4) AND before_name = '') LIMIT 1
