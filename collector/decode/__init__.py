"""Bytes to documents: pure, without sockets, clock or store."""
