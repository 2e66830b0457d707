SELECT trace_id, key AS answered_as, refers_to, streamed, case, type, start, duration, weight FROM scope_rows
WHERE <target> AND is_call AND <plain>
