-- Names of nodes in $whole_minutes, one row per segment, call, caller and broker that a segment names.
SELECT minute, account, name FROM scope_rows WHERE $whole_minutes AND (is_call OR NOT independent) AND name != '' AND $plain
UNION ALL
SELECT minute, owner_account AS account, owner_name AS name FROM scope_rows
WHERE $whole_minutes AND NOT streamed AND (is_call OR (NOT independent AND owner_name != '')) AND $plain
UNION ALL
SELECT minute, account, name FROM odd_names
