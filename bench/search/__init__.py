"""How fast filters find traces in a long window, and how much of the tables they read."""
