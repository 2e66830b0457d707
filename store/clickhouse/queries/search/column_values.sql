-- Values of a column of segments, and the number of traces that have them.
SELECT $column AS value, uniq(trace_id) AS found
FROM (SELECT trace_id, $column FROM segments WHERE $rows LIMIT {most:UInt64})
WHERE value != defaultValueOfArgumentType(value) AND startsWith(toString(value), {prefix:String})
GROUP BY value ORDER BY found DESC, toString(value) LIMIT {size:UInt64}
