-- What differs after each insert of documents or log lines: the sum over partitions of the number of the last block.
-- Of memory alone, no part is read.
SELECT sum(last) FROM (
    SELECT max(max_block_number) AS last FROM system.parts
    WHERE database = currentDatabase() AND table IN ('segments', 'log_lines') AND active
    GROUP BY table, partition_id
)
