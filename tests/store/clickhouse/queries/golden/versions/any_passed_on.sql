SELECT 1 FROM segments WHERE <rows> AND <nodes> AND (kind = 2 AND endsWith(operation, '/*') AND match(operation, ':[0-9]+/\\*$')) LIMIT 1
