-- Whether a segment may have got messages of which no link tells (store.draw.draw_message): a CONSUMER (5), or what names a
-- broker in front of it, as a SERVER (2) does its caller.
(kind != 2 AND (kind = 5 OR $broker != ''))
