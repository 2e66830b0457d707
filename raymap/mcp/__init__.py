"""`raymap mcp`: read-only tools for language models, over stdio (docs/mcp.md)."""
