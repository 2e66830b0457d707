-- Raymap's users in a ClickHouse of your own, and all that they may do. Run it as an administrator, who must
-- be allowed to make users; it can be repeated:
--   clickhouse-client --user … --password … --queries-file users.sql \
--     --param_password=… --param_backup_password=…
-- raymap is for --clickhouse: it may use databases whose names begin with raymap (tenants have their own), and
-- reaches neither files nor other servers. raymap_backup is for BACKUP and RESTORE of them: into files; for S3
-- grant it S3 instead of FILE. With a cluster both also need CLUSTER ON *.*.
-- Written by `python -m store.clickhouse.grants`.

CREATE USER IF NOT EXISTS raymap IDENTIFIED WITH sha256_password BY {password:String};
GRANT SHOW, SELECT, INSERT, ALTER TABLE, ALTER VIEW, ALTER DATABASE, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP DATABASE, DROP TABLE, DROP VIEW, TRUNCATE, OPTIMIZE, SYSTEM SYNC REPLICA ON raymap*.* TO raymap WITH GRANT OPTION;
GRANT CREATE TEMPORARY TABLE ON *.* TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON MergeTree TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON ReplacingMergeTree TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON AggregatingMergeTree TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON SummingMergeTree TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON Memory TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON ReplicatedMergeTree TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON ReplicatedReplacingMergeTree TO raymap WITH GRANT OPTION;
GRANT TABLE ENGINE ON ReplicatedAggregatingMergeTree TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.columns TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.detached_parts TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.parts TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.replicas TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.replication_queue TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.tables TO raymap WITH GRANT OPTION;
GRANT SELECT ON system.databases TO raymap;
GRANT SELECT ON system.disks TO raymap;
GRANT SELECT ON system.errors TO raymap;
GRANT SELECT ON system.merge_tree_settings TO raymap;
GRANT CREATE USER, DROP USER ON raymap_* TO raymap;

CREATE USER IF NOT EXISTS raymap_backup IDENTIFIED WITH sha256_password BY {backup_password:String};
GRANT SHOW, SELECT, INSERT, ALTER TABLE, ALTER VIEW, ALTER DATABASE, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP DATABASE, DROP TABLE, DROP VIEW, TRUNCATE, OPTIMIZE, SYSTEM SYNC REPLICA ON raymap*.* TO raymap_backup;
GRANT CREATE TEMPORARY TABLE ON *.* TO raymap_backup;
GRANT TABLE ENGINE ON MergeTree TO raymap_backup;
GRANT TABLE ENGINE ON ReplacingMergeTree TO raymap_backup;
GRANT TABLE ENGINE ON AggregatingMergeTree TO raymap_backup;
GRANT TABLE ENGINE ON SummingMergeTree TO raymap_backup;
GRANT TABLE ENGINE ON Memory TO raymap_backup;
GRANT TABLE ENGINE ON ReplicatedMergeTree TO raymap_backup;
GRANT TABLE ENGINE ON ReplicatedReplacingMergeTree TO raymap_backup;
GRANT TABLE ENGINE ON ReplicatedAggregatingMergeTree TO raymap_backup;
GRANT BACKUP ON raymap*.* TO raymap_backup;
GRANT READ, WRITE ON FILE TO raymap_backup;
