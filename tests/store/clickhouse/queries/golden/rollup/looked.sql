SELECT bucket, max(looked) FROM dirty WHERE bucket IN (<buckets>) GROUP BY bucket
