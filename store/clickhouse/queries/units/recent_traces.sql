-- The traces of calls in $input that may have arrived after `incomplete_documents` was filled.
SELECT trace_id FROM calls WHERE $input AND inserted >= /*include units/ten_seconds_ago*/
