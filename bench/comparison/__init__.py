"""How often the comparison of two periods is wrong, and what it finds."""
