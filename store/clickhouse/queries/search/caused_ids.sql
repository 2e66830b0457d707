-- What links of other traces say that they caused in these.
SELECT hex(other_trace), groupUniqArray(other_id) FROM links FINAL
WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))}
GROUP BY other_trace
