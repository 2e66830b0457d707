SELECT hex(other_trace), bucket, max(upstream = 0) FROM links WHERE <rows> AND <foreign> GROUP BY other_trace, bucket
