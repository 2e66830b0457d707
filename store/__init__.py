"""The domain model, the rules that derive a service graph from it, and the stores."""
