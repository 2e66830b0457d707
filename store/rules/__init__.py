"""The rules both ends and the SQL obey; each is one pure function in one place."""
