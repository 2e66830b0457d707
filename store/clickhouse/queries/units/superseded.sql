-- All copies but the newest of a document or call ($table) whose copies start in different minutes. A complete
-- copy is newer than one in progress, then the last arrival counts. ReplacingMergeTree only replaces copies in
-- one minute. Only traces with cross-minute references are searched, which a row in progress is. Two complete
-- copies in different minutes of a trace without such a reference are both counted: finding them would take a
-- look-up of every trace of every minute.
SELECT trace_id, id, minute FROM (
    SELECT trace_id, id, argMax(minute, ver) AS newest, groupUniqArray(minute) AS minutes FROM $table
    WHERE $input AND $cross_minute
    GROUP BY trace_id, id HAVING length(minutes) > 1
)
ARRAY JOIN minutes AS minute
WHERE minute != newest
