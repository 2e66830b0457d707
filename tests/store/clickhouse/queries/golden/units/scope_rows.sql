SELECT *, bitOr(cityHash64(is_call, streamed, owner_account, owner_name, owner_type, owner_region, account, name, type, region, service, host, kind, fetched, has_parent, inferred, synthetic, state, status, exception), 9223372036854775808) AS case,
       sipHash64Keyed((<seed>, <seed>), trace_id, id) AS key, if(referred = 0, 0, sipHash64Keyed((<seed>, <seed>), trace_id, referred)) AS refers_to,
       if(independent > 1 AND NOT is_call AND parent != 0, sipHash64Keyed((<seed>, <seed>), trace_id, parent), 0) AS below,
       arrayMap(member -> sipHash64Keyed((<seed>, <seed>), trace_id, member), members) AS parts
FROM (
    SELECT bucket, trace_id, id, toUInt8(0) AS is_call, independent, method != '' AS has_method, independent = 1 AS streamed,
           if(independent > 1, 0, parent_id) AS referred, parent_id AS parent, members,
           start, minute, duration, greatest(duration, last_duration) AS last_duration, weight, ver,
           before_account AS owner_account, before_name AS owner_name, before_type AS owner_type, before_region AS owner_region,
           account, name, type, region, service, CAST('', 'LowCardinality(String)') AS host, kind, fetched, parent_id != 0 AS has_parent, inferred,
           toUInt8(position(user_agent, {canary:String}) > 0) AS synthetic, state, status, exception
    FROM segments FINAL WHERE <rows>
    UNION ALL
    SELECT bucket, trace_id, id, 1, independent, 0, independent = 1, document_id, 0, [], start, minute, duration, duration, weight, ver,
           owner_account, owner_name, owner_type, owner_region,
           account, name, type, region, service, host, 0, 0, 0, 0, 0, state, status, exception
    FROM calls FINAL WHERE <rows>
)
