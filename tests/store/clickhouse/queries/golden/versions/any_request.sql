SELECT 1 FROM segments FINAL
WHERE <rows> AND <nodes> AND <request> AND independent = 0 AND fetched != 1 AND <not_pinned_copy> LIMIT 1
