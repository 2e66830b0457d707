SELECT service_version FROM segments
WHERE <rows> AND <nodes> AND independent = 0 AND fetched != 1 AND <not_pinned_copy>
GROUP BY service_version ORDER BY count() DESC, service_version LIMIT {most:UInt64}
