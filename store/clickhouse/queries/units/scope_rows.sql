-- The newest copies of the documents and calls in $rows, read once: what is looked up in them later is one state.
-- `independent`: no segment, or a call of none; `streamed`: such a one whose parent's segment knows whose it is.
-- `key`: an id in its trace, by a hash with a random seed; `refers_to`: that of the parent, if it decides anything, or
-- of a call's document; 0: none. `below`: of a span inside its service, which it names, that of the parent, whose service
-- decides. `synthetic`: whether {canary} is part of its user agent.
-- `case`: a number for all that the rules decided about a row (store.cases), greater than what stands for no parent
-- (store.draw). Owner: the caller, if the row knows it; of a segment what it names as in front of it.
SELECT *, bitOr(cityHash64(/*include units/case_columns*/), $first_case) AS case,
       /*include units/key_of trace=trace_id id=id*/ AS key, if(referred = 0, 0, /*include units/key_of trace=trace_id id=referred*/) AS refers_to,
       if(independent > $Independent.OF_PARENT AND NOT is_call AND parent != 0, /*include units/key_of trace=trace_id id=parent*/, 0) AS below,
       arrayMap(member -> /*include units/key_of trace=trace_id id=member*/, members) AS parts
FROM (
    SELECT bucket, trace_id, id, toUInt8(0) AS is_call, independent, method != '' AS has_method, independent = $Independent.OF_PARENT AS streamed,
           if(independent > $Independent.OF_PARENT, 0, parent_id) AS referred, parent_id AS parent, members,
           start, minute, duration, greatest(duration, last_duration) AS last_duration, weight, ver,
           before_account AS owner_account, before_name AS owner_name, before_type AS owner_type, before_region AS owner_region,
           account, name, type, region, service, CAST('', 'LowCardinality(String)') AS host, kind, fetched, parent_id != 0 AS has_parent, inferred,
           toUInt8(position(user_agent, {canary:String}) > 0) AS synthetic, state, status, exception
    FROM segments FINAL WHERE $rows
    UNION ALL
    SELECT bucket, trace_id, id, 1, independent, 0, independent = $Independent.OF_PARENT, document_id, 0, [], start, minute, duration, duration, weight, ver,
           owner_account, owner_name, owner_type, owner_region,
           account, name, type, region, service, host, 0, 0, 0, 0, 0, state, status, exception
    FROM calls FINAL WHERE $rows
)
