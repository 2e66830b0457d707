SELECT hex(trace_id), bucket, 0 AS kind, id, parent_id AS refers_to, members, '' AS other, ver < 4611686018427387904 AS unsure
FROM segments WHERE <rows>
UNION ALL
SELECT hex(trace_id), bucket, 1, id, document_id, [], '', 0 FROM calls WHERE <rows>
UNION ALL
SELECT hex(trace_id), bucket, 2, 0, 0, [], hex(other_trace), 0 FROM links WHERE <rows>
