-- The units with one name in place of the names in excess (store.units.with_other_names).
SELECT * REPLACE (
    if(folds_target, $other_names, name) AS name,
    if(if(startsWith(source_type, $client), folds_target, folds_source), $other_names, source_name) AS source_name,
    multiIf(NOT folds_target, word, is_node AND is_example, original_name, '') AS word
)
FROM (
    SELECT *, toString(name) AS original_name,
           (minute, toString(account), toString(name)) IN (SELECT minute, account, name FROM excess_names)
               AS folds_target,
           (minute, $settled_account, toString(source_name))
               IN (SELECT minute, account, name FROM excess_names) AS folds_source,
           (minute, toString(account), toString(name))
               IN (SELECT minute, account, name FROM excess_names WHERE is_example) AS is_example
    FROM (
/*include units/units*/
    )
)
