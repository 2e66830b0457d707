-- Calls in $target that look-ups resolve. `answered_as`: what segments that answer them name.
SELECT trace_id, key AS answered_as, refers_to, streamed, case, type, start, duration, weight FROM scope_rows
WHERE $target AND is_call AND $plain
