-- The columns of segments.sql, only what a filter reads: each further column costs as much as a trace.
SELECT hex(trace_id), id, parent_id, independent, $inferred, 1, start, start + $end,
       start, state, $node, $service, $http, $user_agent, '',
       $annotations, members, 1, $operation, kind, fetched, before_account, before_name, before_type, before_region, ver,
       $body, $texts
FROM segments FINAL WHERE $places
