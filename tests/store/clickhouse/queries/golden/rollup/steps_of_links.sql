SELECT DISTINCT intDiv(toUnixTimestamp(received), {step:UInt32}) FROM links
WHERE toUnixTimestamp(received) BETWEEN {since:UInt32} AND {until:UInt32} AND <anew>
