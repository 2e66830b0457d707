-- The newest layout of a map. One row a name once parts are merged.
SELECT value, revision, writer
FROM layouts
WHERE name = {name:String}
ORDER BY revision DESC
LIMIT 1
