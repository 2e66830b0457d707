SELECT minute, account, tupleElement(named, 1) AS name, name = example AS is_example
FROM (
    SELECT minute, account, groupArray((name, times)) AS names,
           arrayReverseSort(arrayMap(named -> named.2, names))[{most:UInt64} + 1] AS least,
           arrayFilter(named -> named.2 <= least, names) AS others,
           arraySort(arrayMap(named -> named.1, others))[1] AS example
    FROM (
        SELECT minute, toString(account) AS account, toString(name) AS name, count() AS times
        FROM (SELECT minute, account, name FROM segments FINAL WHERE <whole_minutes> AND <newest_segments> AND independent = 0
UNION ALL
SELECT minute, account, name FROM calls FINAL WHERE <whole_minutes> AND <newest_calls> AND <has_document>
UNION ALL
SELECT minute, owner_account AS account, owner_name AS name FROM calls FINAL
WHERE <whole_minutes> AND <newest_calls> AND <has_document> AND independent = 0)
        WHERE (minute, account) IN (SELECT minute, toString(account) FROM many_names)
        GROUP BY minute, account, name
    )
    GROUP BY minute, account HAVING length(names) > {most:UInt64}
)
ARRAY JOIN others AS named
