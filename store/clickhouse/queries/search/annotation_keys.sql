-- Keys of annotations and the number of traces that have them; ``%`` and ``=`` in keys and in the prefix are escaped.
SELECT substring(item, 1, position(item, '=') - 1) AS key, uniq(trace_id) AS found
FROM (SELECT trace_id, annotations FROM segments WHERE $rows AND notEmpty(annotations) LIMIT {most:UInt64})
ARRAY JOIN annotations AS item
WHERE startsWith(item, {prefix:String})
GROUP BY key ORDER BY found DESC, key LIMIT {size:UInt64}
