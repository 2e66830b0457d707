SELECT value, revision, writer
FROM layouts
WHERE name = {name:String}
ORDER BY revision DESC
LIMIT 1
