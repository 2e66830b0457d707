-- The work of nodes in traces by trace, background work or all other ($background): its amount, and the worst state; the parents
-- of segments that answer calls; those of segments that process messages, with whose these are; what
-- fetched messages (store.messages), not counted as work; whether a segment may be part of another's request or a span
-- enter its service (store.parents), so that all this may be too much or too little; whether a call may be one with another
-- (store.layers), so that calls may be; and whether there is background work, if nothing caused it. $located finds the traces'
-- rows; $meant: whether a row is of such a unit; the newest copy of a row decides, wherever the copies start.
SELECT hex(trace_id), sumIf(weight, work AND fetched = $Fetched.NO), maxIf(state, work AND fetched = $Fetched.NO),
       groupArrayIf(parent_id, below AND $answers),
       groupArrayIf((parent_id, node), below AND $processes),
       groupArrayIf((id, node, weight, state), work AND fetched = $Fetched.MESSAGES),
       notEmpty(arrayIntersect(groupArrayIf(cityHash64(id, name), kind IN $enclosing),
                               groupArrayIf(cityHash64(parent_id, name), kind = $Kind.SERVER AND parent_id != 0) AS named))
       OR length(named) > length(arrayDistinct(named))
       OR length(groupUniqArrayIf(cityHash64(parent_id, name), independent > $Independent.OF_PARENT AND parent_id != 0) AS above)
          > length(arrayIntersect(above, arrayConcat(groupArray(cityHash64(id, name)), groupArrayIf(cityHash64(parent_id, name), independent = $Independent.NO)))),
       hasAny(above, groupArrayIf(cityHash64(id, name), independent > $Independent.OF_PARENT AND kind IN $leaving)),
       max(alone AND meant)
FROM (
    SELECT trace_id, id, parent_id, independent, kind, fetched, name, weight, state, (account, name, type, region) AS node,
           independent = $Independent.NO AND parent_id != 0 AS below, independent = $Independent.NO AND $serves_no_request AS alone,
           independent = $Independent.NO AND $meant AS meant, meant AND alone = $background AS work
    FROM (
        SELECT trace_id, id, parent_id, independent, kind, fetched, start, state, account, name, type, region, exception, status, weight, before_name
        FROM segments WHERE $located ORDER BY ver DESC LIMIT 1 BY trace_id, id
    )
)
WHERE trace_id IN (
    SELECT trace_id FROM traces WHERE trace_id IN {ids:Array(FixedString(16))} GROUP BY trace_id HAVING max(sampled) = 1
)
GROUP BY trace_id
