-- What is recorded of rows elsewhere that partitions depend on.
SELECT minute, partition, max(related) AS related, max(review) AS review FROM dirty WHERE $minutes
GROUP BY minute, partition HAVING related > 0 OR review > 0
