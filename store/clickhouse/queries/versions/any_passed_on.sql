-- Whether a proxy reports requests of some nodes.
SELECT 1 FROM segments WHERE $rows AND $nodes AND /*include units/passed_on*/ LIMIT 1
