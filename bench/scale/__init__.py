"""How fast questions are answered when the tables are large, beside what the engine itself needs."""
