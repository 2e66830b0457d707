-- Whether a segment may have got messages of which no link tells (store.draw.draw_message): a CONSUMER, or what names a
-- broker in front of it, as a SERVER does its caller.
(kind != $Kind.SERVER AND (kind = $Kind.CONSUMER OR $broker != ''))
