-- Copies of a document or call (:table) whose starts lie in different minutes, except the newest: complete
-- before in progress, then the last arrival. ReplacingMergeTree replaces copies of one minute only. Looked
-- for in traces with references to other minutes, which an in-progress row is. Two complete copies in
-- different minutes of a trace without such a reference are both counted: finding them would take a look-up
-- of every trace of every minute that is counted.
SELECT trace_id, id, minute FROM (
    SELECT trace_id, id, argMax(minute, ver) AS newest, groupUniqArray(minute) AS minutes FROM :table
    WHERE :near AND :far
    GROUP BY trace_id, id HAVING length(minutes) > 1
)
ARRAY JOIN minutes AS minute
WHERE minute != newest
