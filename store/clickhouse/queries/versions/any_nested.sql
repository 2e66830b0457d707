-- Whether some nodes have SERVER spans with a parent: what the costlier statements look for, and X-Ray's documents never are.
SELECT 1 FROM segments WHERE $rows AND $named AND kind = $Kind.SERVER AND parent_id != 0 LIMIT 1
