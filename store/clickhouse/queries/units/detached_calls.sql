-- Calls and links in $minutes whose document is not in the same bucket.
SELECT c.trace_id AS trace_id, c.bucket AS bucket, c.id AS id, c.document_id AS document_id
FROM (
    SELECT trace_id, bucket, id, document_id FROM calls WHERE $minutes
    UNION ALL
    SELECT trace_id, bucket, toUInt64(0) AS id, document_id FROM links WHERE $minutes
) AS c
LEFT ANTI JOIN (SELECT trace_id, bucket, id FROM segments WHERE $minutes) AS d
    ON c.trace_id = d.trace_id AND c.bucket = d.bucket AND c.document_id = d.id
