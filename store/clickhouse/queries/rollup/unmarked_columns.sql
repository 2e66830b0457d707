-- Values of the columns after units/columns, of rows that are not markers.
toUInt8(1) AS complete_, toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt64(0) AS counted_at_, {rev:UInt64} AS rev_
