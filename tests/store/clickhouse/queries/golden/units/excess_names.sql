SELECT minute, account, tupleElement(named, 1) AS name, name = example AS is_example
FROM (
    SELECT minute, account, groupArray((name, times)) AS names,
           arrayReverseSort(arrayMap(named -> named.2, names))[{most:UInt64} + 1] AS least,
           arrayFilter(named -> named.2 <= least, names) AS others,
           arraySort(arrayMap(named -> named.1, others))[1] AS example
    FROM (
        SELECT minute, toString(account) AS account, toString(name) AS name, count() AS times
        FROM (SELECT minute, account, name FROM scope_rows WHERE <whole_minutes> AND (is_call OR NOT independent) AND name != '' AND <plain>
UNION ALL
SELECT minute, owner_account AS account, owner_name AS name FROM scope_rows
WHERE <whole_minutes> AND NOT streamed AND (is_call OR (NOT independent AND owner_name != '')) AND <plain>
UNION ALL
SELECT minute, account, name FROM odd_names)
        WHERE (minute, account) IN (SELECT minute, toString(account) FROM many_names)
        GROUP BY minute, account, name
    )
    GROUP BY minute, account HAVING length(names) > {most:UInt64}
)
ARRAY JOIN others AS named
