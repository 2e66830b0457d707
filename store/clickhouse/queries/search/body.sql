-- The document of a row of segments: marked resource and scope of a span that is stored in parts, else two empty
-- strings; its head, if that lacks what columns have (store.otel.stored_span.cut_head); whether its attributes follow
-- from the annotations; the rest. They may be any bytes; the driver would read a String as UTF-8 text.
base64Encode(resource), base64Encode(scope),
base64Encode(if(head = '', '', concat(
    char(10, 16), trace_id, char(18, 8), reverse(reinterpretAsFixedString(id)),
    if(parent_id = 0, '', concat(char(34, 8), reverse(reinterpretAsFixedString(parent_id)))),
    substring(head, 2),
    char(57), reinterpretAsFixedString(start * 1000 + intDiv(nanos, 1000)),
    char(65), reinterpretAsFixedString((start + duration) * 1000 + nanos % 1000)))),
startsWith(head, char(2)),
base64Encode(concat(body, arrayStringConcat(attributes), tail))
