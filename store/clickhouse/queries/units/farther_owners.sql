-- The owners after twice as many steps from parent to parent.
SELECT a.key AS key, b.at AS at, a.done OR b.done AS done, if(a.done, a.case, b.case) AS case, a.trace_id AS trace_id
FROM owners AS a LEFT ANY JOIN owners AS b ON a.at = b.key
