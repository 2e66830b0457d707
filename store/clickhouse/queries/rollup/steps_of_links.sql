-- The steps of time in which links to traces that another cell takes anew were received, from an instant to another (seconds).
SELECT DISTINCT intDiv(toUnixTimestamp(received), {step:UInt32}) FROM links
WHERE toUnixTimestamp(received) BETWEEN {since:UInt32} AND {until:UInt32} AND $anew
