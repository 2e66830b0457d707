"""What goes wrong with a schema."""

from __future__ import annotations


class MigrationError(Exception):
    """The schema could not be brought up to date; the message is for people."""
