SELECT DISTINCT hex(other_trace) FROM links WHERE upstream = 0 AND <ours>
