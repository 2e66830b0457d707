-- The columns of segments.sql, only what store.trace_filter reads: each further column costs as much as
-- a trace.
SELECT hex(trace_id), id, parent_id, independent, 0, 1, start, start,
       start, state, $node, '', '', '', 0,
       '', $agent, '', '', '', '', '',
       $annotations, members, 1, 0
FROM segments FINAL WHERE $places
