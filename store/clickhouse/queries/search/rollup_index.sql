-- Two answers in one statement, as they are always read together: unsettled_minutes.sql (days of retention as `found`)
-- and rolled_up_slots.sql (as `is_slot`).
SELECT toUInt8(0) AS is_slot, minute AS bucket, toUInt8(0) AS outdated, toUInt64(days) AS found FROM ($unsettled)
UNION ALL
SELECT toUInt8(1), slot, late, number FROM (SELECT bucket AS slot, outdated AS late, found AS number FROM ($slots))
