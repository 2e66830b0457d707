-- Minutes and accounts with more than {most} names of nodes in any rows: usually there are none.
SELECT minute, account FROM (
    SELECT minute, account, name FROM segments WHERE $whole_minutes AND independent = $Independent.NO
    UNION ALL
    SELECT minute, account, name FROM calls WHERE $whole_minutes AND name != ''
    UNION ALL
    SELECT minute, owner_account AS account, owner_name AS name FROM calls WHERE $whole_minutes AND independent != $Independent.OF_PARENT
    UNION ALL
    SELECT minute, before_account AS account, before_name AS name FROM segments WHERE $whole_minutes AND independent = $Independent.NO AND before_name != ''
)
GROUP BY minute, account HAVING uniqExact(name) > {most:UInt64}
