-- Units that are counted alike, in one row: of a node (kind 0), of an edge by calls (1), of an edge by links (2), of
-- a node as background work (3).
-- `word`: a name of the node or an alias of the edge. `place`: of the count that it adds to; `ended`: whether its time counts, too.
SELECT figures.bucket AS bucket, minute, kind, source_account, source_name, source_type, source_region,
       account, name, type, region, word, is_node, active, place, ended, failure, units, weights, total, first, last, visits, times, moved
FROM (/*include units/figures*/) AS figures INNER JOIN drawing ON figures.fact = drawing.fact
