"""Hears segment documents, understands them, and hands them to the store."""
