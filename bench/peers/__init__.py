"""Raymap beside other tracing systems; see README.md."""
