SELECT minute, partition, max(related) AS related, max(review) AS review FROM dirty WHERE <minutes>
GROUP BY minute, partition HAVING related > 0 OR review > 0
