-- Items of one annotation key, and the number of traces that have them.
SELECT item, uniq(trace_id) AS found
FROM (SELECT trace_id, annotations FROM segments WHERE $rows AND notEmpty(annotations) LIMIT {most:UInt64})
ARRAY JOIN annotations AS item
WHERE startsWith(item, {key:String})
  AND startsWith(trim(BOTH '"' FROM substring(item, length({key:String}) + 1)), {prefix:String})
GROUP BY item ORDER BY found DESC, item LIMIT {size:UInt64}
