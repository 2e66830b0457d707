SELECT trace_id, bucket, document_id, ver, other_trace, other_id, upstream, event_received, weight,
       sipHash64Keyed((<seed>, <seed>), other_trace, other_id) AS other
FROM links FINAL WHERE <rows>
