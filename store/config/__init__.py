"""What is configured through X-Ray's API: groups, sampling rules, tags, policies; see `protocol`."""
