-- The buckets of a cell that depend on traces which are here by now, of those that are taken anew.
SELECT DISTINCT bucket FROM crossing_refs
WHERE cell = {cell:UInt16} AND trace_id IN (SELECT trace_id FROM traces WHERE $anew)
