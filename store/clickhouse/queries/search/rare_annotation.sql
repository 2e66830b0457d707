-- Counts the segments with an annotation up to a limit.
SELECT count() FROM (
    SELECT 1 FROM segments
    WHERE minute BETWEEN {first_minute:UInt64} AND {last_minute:UInt64}
      AND has(annotations, {annotation:String})
    LIMIT {few:UInt64}
)
