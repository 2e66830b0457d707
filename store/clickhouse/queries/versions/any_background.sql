-- Whether some nodes have spans that may be background work, which X-Ray's documents never are.
SELECT 1 FROM segments WHERE $rows AND $named AND $serves_no_request LIMIT 1
