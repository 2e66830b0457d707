"""What administrators do to keys, members and tenants: one definition for the command line and the HTTP API."""
