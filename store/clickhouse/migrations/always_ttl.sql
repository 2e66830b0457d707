-- Retention as configured, on tables that exist already. Parts expire whole, so changing it is cheap.
ALTER TABLE segments MODIFY TTL received + INTERVAL {retention_days} DAY;
ALTER TABLE calls MODIFY TTL received + INTERVAL {retention_days} DAY;
ALTER TABLE documents MODIFY TTL received + INTERVAL {retention_days} DAY;
ALTER TABLE traces MODIFY TTL received + INTERVAL {retention_days} DAY;
ALTER TABLE links MODIFY TTL received + INTERVAL {retention_days} DAY;
