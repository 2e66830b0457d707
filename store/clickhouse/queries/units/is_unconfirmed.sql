-- store.model.is_unconfirmed.
startsWith(source_type, 'client') AND startsWith(source_account, 'unconfirmed ')
