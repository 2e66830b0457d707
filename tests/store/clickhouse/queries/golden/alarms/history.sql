SELECT value FROM alarm_events WHERE alarm = {alarm:String} ORDER BY seq DESC LIMIT {most:UInt64}
