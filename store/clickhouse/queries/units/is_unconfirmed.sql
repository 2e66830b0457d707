-- store.model.is_unconfirmed.
startsWith(source_account, 'unconfirmed ')
