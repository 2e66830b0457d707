SELECT DISTINCT bucket FROM crossing_refs
WHERE cell = {cell:UInt16} AND trace_id IN (SELECT trace_id FROM traces WHERE <anew>)
