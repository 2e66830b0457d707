-- The document of a row of segments: marked resource and scope of a span that is stored in parts, else two empty
-- strings, and the rest. They may be any bytes; the driver would read a String as UTF-8 text.
-- char(1): what columns have was cut out (store.otel.stored_span.cut_head).
base64Encode(resource), base64Encode(scope), base64Encode(concat(
    if(resource != '' AND startsWith(body, char(1)),
       concat(char(10, 16), trace_id, char(18, 8), reverse(reinterpretAsFixedString(id)),
              if(parent_id = 0, '', concat(char(34, 8), reverse(reinterpretAsFixedString(parent_id)))),
              substring(body, 2),
              char(57), reinterpretAsFixedString(start * 1000 + intDiv(nanos, 1000)),
              char(65), reinterpretAsFixedString((start + duration) * 1000 + nanos % 1000)),
       body),
    arrayStringConcat(attributes), tail))
