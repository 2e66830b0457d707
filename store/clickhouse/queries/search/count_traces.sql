-- How many traces a scan range has.
SELECT count() FROM ($timed) WHERE $where
