-- The traces of other cells that links of $rows lead to, by bucket, and whether one of these says that it caused the other.
SELECT hex(other_trace), bucket, max(upstream = 0) FROM links WHERE $rows AND $foreign GROUP BY other_trace, bucket
