-- Days (since the epoch) whose pin partition has rows.
SELECT DISTINCT toUInt32(toDate(parseDateTimeBestEffort(partition_id, 'UTC'), 'UTC'))
FROM system.parts
WHERE /*include pins/pin_parts*/
