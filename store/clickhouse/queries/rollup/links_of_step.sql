-- The traces that links of such a step lead to, by bucket, and whether one of these says that it caused the other.
SELECT hex(other_trace), bucket, max(upstream = 0) FROM links
WHERE intDiv(toUnixTimestamp(received), {step:UInt32}) = {number:UInt32} AND $anew
GROUP BY other_trace, bucket
