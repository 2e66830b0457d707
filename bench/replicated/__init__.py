"""What a database with replicas owes to its users when these lag, end, stand still or differ in time."""
