-- Whether some nodes have spans that may enter their services, and SERVER spans with a parent: what the costlier statements
-- look for, and X-Ray's documents never are.
SELECT max(independent = 2), max(kind = 2 AND parent_id != 0) FROM segments WHERE $rows AND $named
