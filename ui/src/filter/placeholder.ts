export const PLACEHOLDER = 'Filter: service("orders") { fault }'
