(kind != 2 AND (kind = 5 OR <broker> != ''))
