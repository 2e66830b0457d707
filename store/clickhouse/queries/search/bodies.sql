-- Raw documents: marked resource and scope of a span that is stored in parts, else two empty strings, and the
-- rest. They may be any bytes; the driver would read a String as UTF-8 text.
-- char(1): the span without its ids (store.otel.stored_span.ids_of).
SELECT hex(trace_id), id, base64Encode(resource), base64Encode(scope), base64Encode(concat(
    if(resource != '' AND startsWith(body, char(1)),
       concat(char(10, 16), trace_id, char(18, 8), reverse(reinterpretAsFixedString(id)), substring(body, 2)),
       body),
    arrayStringConcat(attributes), tail))
FROM documents FINAL
WHERE trace_id IN {ids:Array(FixedString(16))}
