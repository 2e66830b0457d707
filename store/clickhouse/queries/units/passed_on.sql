-- Whether a SERVER span is that of a proxy by its operation (store.rules.operations.is_of_proxy).
(kind = $Kind.SERVER AND endsWith(operation, '/*') AND match(operation, ':[0-9]+/\\*$'))
