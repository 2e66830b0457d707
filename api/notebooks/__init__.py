"""Notebooks: where entries are stored, and the export as Markdown."""
