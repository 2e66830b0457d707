"""Receives, decodes and stores segment documents and spans."""
