-- The traces of a subject, from every copy of their documents. A text is looked for only if there is one.
SELECT DISTINCT hex(trace_id) FROM segments
WHERE ({user:String} != '' AND user = {user:String}) OR hasAny(annotations, {items:Array(String)})
UNION DISTINCT
SELECT DISTINCT hex(trace_id) FROM documents
WHERE {text:String} != '' AND (
    position(body, {text:String}) > 0 OR position(tail, {text:String}) > 0 OR position(resource, {text:String}) > 0
    OR position(scope, {text:String}) > 0 OR arrayExists(each -> position(each, {text:String}) > 0, attributes)
)
