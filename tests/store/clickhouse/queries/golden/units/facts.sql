SELECT cityHash64(parent, case, answer, awaiting) AS fact, toUInt8(0) AS is_link, parent, case, answer, awaiting,
       cityHash64(trace_id) AS trace, start, duration, last_duration, weight
FROM (
    SELECT s.trace_id AS trace_id, s.start AS start, s.duration AS duration, s.last_duration AS last_duration,
           s.weight AS weight, if(p.case = 0, s.awaited, p.case) AS parent, s.case AS case, toUInt64(0) AS answer,
           toUInt64(0) AS awaiting
    FROM (
        SELECT trace_id, refers_to, case, start, duration, last_duration, weight,
               if(NOT has_parent AND NOT kind IN (1, 3, 4) AND (type = 'AWS::Lambda' AND owner_name = ''), toUInt64(intDiv(greatest(start, toInt64(bitAnd(ver, 18014398509481983))), 10000000) + if(type = 'AWS::Lambda', 3, 0)), 0) AS awaited
        FROM scope_rows WHERE <target> AND NOT is_call AND NOT independent AND <plain> AND <unlinked>
    ) AS s
    LEFT ANY JOIN (
        SELECT arrayJoin(arrayPushFront(parts, key)) AS id, case FROM scope_rows WHERE is_call OR NOT independent
        <inner>
    ) AS p ON s.refers_to = p.id
    UNION ALL
    SELECT c.trace_id, c.start, c.duration, c.duration, c.weight, <caller> AS parent, c.case, a.case AS answer,
           if((type IN ('AWS::Events', 'AWS::Events::EventBus', 'AWS::Kinesis', 'AWS::Kinesis::Stream', 'AWS::SNS', 'AWS::SQS', 'AWS::SQS::Queue') OR startsWith(type, 'Messaging::')), a.awaiting, 0) AS awaiting
    FROM (<calls>) AS c
    LEFT ANY JOIN (
        SELECT refers_to AS id, case, if((type = 'AWS::Lambda' AND owner_name = ''), toUInt64(intDiv(greatest(start, toInt64(bitAnd(ver, 18014398509481983))), 10000000) + if(type = 'AWS::Lambda', 3, 0)), 0) AS awaiting
        FROM scope_rows WHERE NOT is_call AND NOT independent AND refers_to != 0
    ) AS a ON c.answered_as = a.id
    <owners>
)
