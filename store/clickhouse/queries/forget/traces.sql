-- The traces of a subject, from every copy of their documents. A text is looked for only if there is one: in each
-- of its forms, as it is stored and as it is behind percent-encoding, twice since URLs have URLs as parameters.
-- char(2): the attributes follow from the annotations (store.otel.attribute_field), the texts among them as they are.
SELECT DISTINCT hex(trace_id) FROM segments
WHERE ({user:String} != '' AND user = {user:String}) OR hasAny(annotations, {items:Array(String)})
UNION DISTINCT
SELECT DISTINCT hex(trace_id) FROM segments
WHERE notEmpty({forms:Array(String)}) AND arrayExists(
    part -> multiSearchAny(part, {forms:Array(String)}) OR (
        position(part, '%') > 0 AND (
            multiSearchAny(decodeURLComponent(part), {forms:Array(String)})
            OR multiSearchAny(decodeURLComponent(decodeURLComponent(part)), {forms:Array(String)})
        )
    ),
    arrayConcat([body, tail, resource, scope, head], attributes,
                if(startsWith(head, char(2)), arrayFilter(item -> endsWith(item, '"'), annotations), []))
)
