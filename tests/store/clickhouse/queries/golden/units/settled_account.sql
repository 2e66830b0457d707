if(startsWith(source_account, 'unconfirmed '), replaceRegexpOne(toString(source_account), '^unconfirmed [0-9]+ ?', ''), toString(source_account))
