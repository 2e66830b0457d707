-- The newest event of each alarm. A change of state is rare, so the table is small.
SELECT argMax(value, seq) FROM alarm_events GROUP BY alarm
