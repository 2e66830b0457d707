SELECT minute, account FROM (
    SELECT minute, account, name FROM segments WHERE <whole_minutes> AND independent = 0
    UNION ALL
    SELECT minute, account, name FROM calls WHERE <whole_minutes> AND name != ''
    UNION ALL
    SELECT minute, owner_account AS account, owner_name AS name FROM calls WHERE <whole_minutes> AND independent != 1
    UNION ALL
    SELECT minute, before_account AS account, before_name AS name FROM segments WHERE <whole_minutes> AND independent = 0 AND before_name != ''
)
GROUP BY minute, account HAVING uniqExact(name) > {most:UInt64}
