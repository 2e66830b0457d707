-- Whether some nodes have a segment that is no background work ($request).
SELECT 1 FROM segments FINAL
WHERE $rows AND $nodes AND $request AND independent = $Independent.NO AND fetched != $Fetched.UNSEEN AND $not_pinned_copy LIMIT 1
