"""The shapes of the console's API (docs/console-api.md), for the type checker and for OpenAPI.

Instants are epoch seconds, durations milliseconds.
"""
