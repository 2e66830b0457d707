-- What the services of rows did (store/clickhouse/write/operations.py), as the dictionary of operations calls it.
SELECT DISTINCT service, if(operation = '', service, operation) AS called FROM segments WHERE $rows
