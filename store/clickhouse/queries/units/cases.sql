-- Cases by their numbers.
SELECT case, /*include units/case_columns*/ FROM scope_rows WHERE case IN {numbers:Array(UInt64)} LIMIT 1 BY case
