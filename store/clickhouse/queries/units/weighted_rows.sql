-- One row per table with a weight above 1.
SELECT 1 FROM segments WHERE $minutes AND weight > 1 LIMIT 1
UNION ALL SELECT 1 FROM calls WHERE $minutes AND weight > 1 LIMIT 1
UNION ALL SELECT 1 FROM links WHERE $minutes AND weight > 1 LIMIT 1
