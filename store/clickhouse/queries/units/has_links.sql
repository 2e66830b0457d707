-- Whether there are links in the scope.
SELECT 1 FROM links WHERE $target LIMIT 1
