"""Scripted incidents, played through the receivers of a real server and judged by `raymap problems replay` (bench/README.md)."""
