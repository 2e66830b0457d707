-- Rows into a staging table, with the columns that differ in a copy.
INSERT INTO $staging ($columns)
SELECT $values FROM $table WHERE $condition
