-- Values of the columns after units/columns, of rows that are not versions.
toUInt8(1) AS complete_, toUInt64(0) AS rows_, toDateTime(0, 'UTC') AS oldest_, toUInt64(0) AS checksum_, toUInt16(0) AS buckets_, toUInt64(0) AS revisions_, {rev:UInt64} AS rev_
