export function TracesPage(_: { id?: string }) { return null }
