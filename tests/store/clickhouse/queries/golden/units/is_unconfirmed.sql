startsWith(source_account, 'unconfirmed ')
