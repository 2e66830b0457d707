-- Rows of a table by minute, their first and last time (epoch seconds), and when the oldest was written.
SELECT count(), min(minute) * 60, (max(minute) + 1) * 60, toUnixTimestamp(min(received))
FROM $table
WHERE $condition
