"""The doors: they move bytes and answer, and do not ask what they mean."""
