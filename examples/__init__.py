"""Traffic to look at: a simulated serverless shop, and a small real one in Flask."""
