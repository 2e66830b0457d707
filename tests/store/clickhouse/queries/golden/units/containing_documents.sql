SELECT trace_id, member, tupleElement(containing, 1) AS id, tupleElement(containing, 2) AS parent_id,
       tupleElement(containing, 3) AS independent, tupleElement(containing, 4) AS account,
       tupleElement(containing, 5) AS name, tupleElement(containing, 6) AS type,
       tupleElement(containing, 7) AS region, tupleElement(containing, 8) AS end
FROM (
    SELECT trace_id, member,
           argMin((k.id, k.parent_id, k.independent, k.account, k.name, k.type, k.region, k.end),
                  (k.independent, k.id)) AS containing
    FROM (
        SELECT * FROM (SELECT related_documents.*, arrayJoin(arrayPushFront(members, id)) AS member FROM related_documents)
        WHERE (trace_id, member) IN (SELECT trace_id, member FROM wanted_ids)
        UNION ALL
        SELECT related_documents.*, c.id AS member
        FROM (
            SELECT trace_id, document_id, id FROM calls FINAL
            WHERE <input> AND <newest_calls> AND (trace_id, id) IN (SELECT trace_id, member FROM wanted_ids)
        ) AS c
        INNER JOIN related_documents ON c.trace_id = related_documents.trace_id AND c.document_id = related_documents.id
    ) AS k
    GROUP BY trace_id, member
)
