-- The columns of segments.sql, only what a filter reads: each further column costs as much as a trace.
SELECT hex(trace_id), id, parent_id, independent, inferred, 1, start, start + duration,
       start + duration, state, account, name, type, region, service, $http,
       $attributes, '',
       $annotations, members, 1, ver
FROM segments FINAL WHERE $places
