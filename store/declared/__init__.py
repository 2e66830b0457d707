"""What templates declare, and what of it was observed (docs/declared.md). Pure."""
