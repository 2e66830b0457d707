SELECT argMax(value, seq) FROM alarm_events GROUP BY alarm
