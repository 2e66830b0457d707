SELECT count(), min(minute) * 60, (max(minute) + 1) * 60, toUnixTimestamp(min(received))
FROM <table>
WHERE <condition>
