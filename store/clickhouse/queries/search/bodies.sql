-- Raw documents. A body may be any bytes; the driver would read a String as UTF-8 text.
SELECT hex(trace_id), id, base64Encode(body) FROM documents FINAL
WHERE trace_id IN {ids:Array(FixedString(16))}
