SELECT other_trace AS trace_id FROM links WHERE <places>
UNION ALL
SELECT trace_id FROM links
WHERE upstream = 0 AND other_trace IN {ids:Array(FixedString(16))} AND <not_pinned_copy>
