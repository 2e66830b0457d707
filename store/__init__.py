"""The words both ends share, the rules they obey, and the keepers of what was received."""
