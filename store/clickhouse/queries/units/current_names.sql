-- Names of nodes in $whole_minutes, one row per segment, call and caller.
SELECT minute, account, name FROM segments FINAL WHERE $whole_minutes AND $newest_segments AND independent = 0
UNION ALL
SELECT minute, account, name FROM calls FINAL WHERE $whole_minutes AND $newest_calls AND $has_document
UNION ALL
SELECT minute, owner_account AS account, owner_name AS name FROM calls FINAL
WHERE $whole_minutes AND $newest_calls AND $has_document AND independent = 0
