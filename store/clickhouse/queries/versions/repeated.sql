-- The segments of some nodes that are part of the request directly above them (store.layers.is_same_request).
SELECT i.trace_id, i.id
FROM (
    SELECT trace_id, id, argMax((parent_id, toString(name), start, start + duration, kind, independent), ver) AS newest,
           newest.1 AS parent
    FROM segments WHERE $rows AND $nodes AND kind = $Kind.SERVER AND parent_id != 0 GROUP BY trace_id, id
) AS i
INNER JOIN (
    SELECT trace_id, id, argMax((toString(name), start, start + duration, kind, independent, state, fetched), ver) AS newest
    FROM segments WHERE $near AND $named AND kind IN $enclosing GROUP BY trace_id, id
) AS o ON i.trace_id = o.trace_id AND i.parent = o.id
WHERE i.newest.2 = o.newest.1 AND i.newest.5 = $Kind.SERVER AND o.newest.4 IN $enclosing AND o.newest.7 = $Fetched.NO AND i.newest.6 = $Independent.NO AND o.newest.5 = $Independent.NO AND i.id != o.id
  AND i.newest.3 >= o.newest.2 - $tolerance AND (o.newest.6 = $State.IN_PROGRESS OR i.newest.4 <= o.newest.3 + $tolerance)
