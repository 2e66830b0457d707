-- Segments, those of some nodes that a proxy reports with what is `done` in them: the operation of the first SERVER span of their
-- service directly in each (store.parents.ParentIndex.operation); '' of others.
segments FINAL LEFT ANY JOIN (
    SELECT i.trace_id AS inner_trace, i.newest.1 AS outer_id, argMin(i.newest.7, (i.newest.3, i.id)) AS done
    FROM (
        SELECT trace_id, id, argMax((parent_id, toString(name), start, start + duration, kind, independent, toString(operation)), ver) AS newest
        FROM segments WHERE $near AND $named AND kind = $Kind.SERVER AND parent_id != 0 GROUP BY trace_id, id
    ) AS i
    INNER JOIN (
        SELECT trace_id, id, argMax((toString(name), start, start + duration, kind, independent, state, $passed_on), ver) AS newest
        FROM segments WHERE $rows AND $nodes AND kind = $Kind.SERVER GROUP BY trace_id, id
    ) AS o ON i.trace_id = o.trace_id AND i.newest.1 = o.id
    WHERE i.newest.2 = o.newest.1 AND i.newest.5 = $Kind.SERVER AND i.newest.6 = $Independent.NO AND o.newest.5 = $Independent.NO AND i.id != o.id AND i.newest.7 != '' AND o.newest.7
      AND i.newest.3 >= o.newest.2 - $tolerance AND (o.newest.6 = $State.IN_PROGRESS OR i.newest.4 <= o.newest.3 + $tolerance)
    GROUP BY inner_trace, outer_id
) AS application ON trace_id = inner_trace AND id = outer_id
