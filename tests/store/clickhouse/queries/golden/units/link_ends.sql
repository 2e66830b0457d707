SELECT trace_id, id, tupleElement(first, 1) AS end, tupleElement(first, 2) AS account,
       tupleElement(first, 3) AS name, tupleElement(first, 4) AS type, tupleElement(first, 5) AS region
FROM (
    SELECT trace_id, id, argMin((end, node.1, node.2, node.3, node.4), preference) AS first
    FROM (
        SELECT c.trace_id AS trace_id, c.id AS id, c.start + c.duration AS end, 0 AS preference,
               if(a.parent_id != 0, a.node,
                  (toString(c.account), toString(c.name), toString(c.type), toString(c.region))) AS node
        FROM (
            SELECT * FROM calls FINAL
            WHERE <input> AND <newest_calls> AND <has_document>
              AND (trace_id, id) IN (SELECT other_trace, other_id FROM links_in_scope)
        ) AS c
        LEFT JOIN (
            SELECT trace_id, parent_id,
                   min((toString(account), toString(name), toString(type), toString(region))) AS node
            FROM segments FINAL
            WHERE <input> AND <newest_segments> AND independent = 0 AND parent_id != 0
              AND trace_id IN (SELECT other_trace FROM links_in_scope)
            GROUP BY trace_id, parent_id
        ) AS a ON c.trace_id = a.trace_id AND c.id = a.parent_id
        UNION ALL
        SELECT h.trace_id AS trace_id, h.member AS id, h.end AS end, 1 AS preference,
               (toString(o.account), toString(o.name), toString(o.type), toString(o.region)) AS node
        FROM (
            SELECT * FROM containing_documents
            WHERE (trace_id, member) IN (SELECT other_trace, other_id FROM links_in_scope)
        ) AS h
        INNER JOIN owning_segments AS o ON h.trace_id = o.trace_id AND h.id = o.document_id
    )
    GROUP BY trace_id, id
)
