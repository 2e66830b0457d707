-- The ids of `scope_rows` and the references to them, each with its role: 1 a document, 2 it or what embeds the id is
-- a streamed subsegment, 4 a call in a document, 8 a streamed call, 16 the document of a call, 32 the parent of a
-- segment, 64 of a streamed subsegment, 128 a copy may replace it, 256 embedded in a segment, 512 a segment that fetched
-- messages, 1024 the parent of a CONSUMER. `version`: that of a
-- document, and of the one that a call came with.
SELECT trace_id, bucket, key,
       toUInt16(multiIf(NOT is_call, if(streamed, 3, 1), independent AND refers_to = key, 8, 4)
               + if($may_be_replaced, 128, 0) + if(fetched = $Fetched.MESSAGES AND NOT independent, 512, 0)) AS role,
       if(is_call, 0, $version) AS version
FROM scope_rows
UNION ALL
SELECT trace_id, bucket, refers_to, multiIf(is_call, 16, streamed, 64, kind = $Kind.CONSUMER, 1056, 32),
       if(is_call, $version, 0)
FROM scope_rows WHERE refers_to != 0
UNION ALL
SELECT trace_id, bucket, arrayJoin(parts), if(streamed, 2, 256), 0 FROM scope_rows WHERE notEmpty(parts)
