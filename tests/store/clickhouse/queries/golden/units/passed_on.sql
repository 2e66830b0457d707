(kind = 2 AND endsWith(operation, '/*') AND match(operation, ':[0-9]+/\\*$'))
