-- The traces of this cell that links of another cell name as what they caused.
SELECT DISTINCT hex(other_trace) FROM links WHERE upstream = 0 AND $ours
