segments FINAL LEFT ANY JOIN (
    SELECT i.trace_id AS inner_trace, i.newest.1 AS outer_id, argMin(i.newest.7, (i.newest.3, i.id)) AS done
    FROM (
        SELECT trace_id, id, argMax((parent_id, toString(name), start, start + duration, kind, independent, toString(operation)), ver) AS newest
        FROM segments WHERE <near> AND <named> AND kind = 2 AND parent_id != 0 GROUP BY trace_id, id
    ) AS i
    INNER JOIN (
        SELECT trace_id, id, argMax((toString(name), start, start + duration, kind, independent, state, (kind = 2 AND endsWith(operation, '/*') AND match(operation, ':[0-9]+/\\*$'))), ver) AS newest
        FROM segments WHERE <rows> AND <nodes> AND kind = 2 GROUP BY trace_id, id
    ) AS o ON i.trace_id = o.trace_id AND i.newest.1 = o.id
    WHERE i.newest.2 = o.newest.1 AND i.newest.5 = 2 AND i.newest.6 = 0 AND o.newest.5 = 0 AND i.id != o.id AND i.newest.7 != '' AND o.newest.7
      AND i.newest.3 >= o.newest.2 - <tolerance> AND (o.newest.6 = 0 OR i.newest.4 <= o.newest.3 + <tolerance>)
    GROUP BY inner_trace, outer_id
) AS application ON trace_id = inner_trace AND id = outer_id
