-- Whether a SERVER span (2) is that of a proxy by its operation (store.rules.operations.is_of_proxy).
(kind = 2 AND endsWith(operation, '/*') AND match(operation, ':[0-9]+/\\*$'))
