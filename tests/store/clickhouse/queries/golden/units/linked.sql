SELECT d.key AS key, hex(l.other_trace) AS other_trace, l.other_id AS other_id, l.event_received AS received,
       l.weight AS link_weight, d.case AS case, <owner> AS owner, d.refers_to = 0 AND NOT d.independent AS is_root,
       cityHash64(d.trace_id) AS trace, d.start AS start, d.duration AS duration, d.last_duration AS last_duration,
       d.weight AS weight, if(c.case != 0, c.case, h.case) AS other_end, if(c.case != 0, c.ended, h.ended) AS ended,
       d.slot AS slot
FROM (SELECT * FROM scope_links WHERE upstream = 1) AS l
INNER JOIN (
    SELECT key, refers_to, independent, streamed, case, trace_id, bucket, id, ver, start, duration, last_duration, weight,
           toUInt64(intDiv(greatest(start, toInt64(bitAnd(ver, 18014398509481983))), 10000000) + if(type = 'AWS::Lambda', 3, 0)) AS slot
    FROM scope_rows WHERE <target> AND NOT is_call AND <plain>
) AS d ON l.trace_id = d.trace_id AND l.bucket = d.bucket AND l.document_id = d.id AND l.ver = d.ver
LEFT ANY JOIN (
    SELECT called.key AS id, ended,
           multiIf(answer.case != 0 AND answer.answers AND NOT (passes_on AND awaits), answer.case,
                   known, called.case, 0) AS case
    FROM (
        SELECT key, case, start + duration AS ended, NOT streamed AND name != '' AS known, (type IN ('AWS::Events', 'AWS::Events::EventBus', 'AWS::Kinesis', 'AWS::Kinesis::Stream', 'AWS::SNS', 'AWS::SQS', 'AWS::SQS::Queue') OR startsWith(type, 'Messaging::')) AS passes_on FROM scope_rows
        WHERE is_call AND key IN (SELECT other FROM scope_links) AND <resolved>
    ) AS called
    LEFT ANY JOIN (
        SELECT refers_to, case, (kind != 5 AND fetched = 0) AS answers, (type = 'AWS::Lambda' AND owner_name = '') AS awaits FROM scope_rows WHERE NOT is_call AND NOT independent AND refers_to != 0
    ) AS answer ON called.key = answer.refers_to
) AS c ON l.other = c.id
LEFT ANY JOIN (
    SELECT arrayJoin(arrayPushFront(parts, key)) AS id, <owner> AS case, ended
    FROM (
        SELECT key, parts, streamed, case, start + duration AS ended FROM scope_rows
        WHERE NOT is_call AND trace_id IN (SELECT other_trace FROM scope_links) AND <resolved>
          AND NOT (streamed AND key IN (SELECT key FROM scope_rows WHERE is_call))
    ) AS d
    <owners>
) AS h ON l.other = h.id
<owners>
