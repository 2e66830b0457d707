-- The links of the documents in $rows. `other`: the key (units/scope_rows) of what each names.
SELECT trace_id, bucket, document_id, ver, other_trace, other_id, upstream, event_received, weight,
       /*include units/key_of trace=other_trace id=other_id*/ AS other
FROM links FINAL WHERE $rows
