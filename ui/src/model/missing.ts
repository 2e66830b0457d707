// Cells of the store that did not answer: what is shown lacks their traces.

export const HEADER = 'X-Raymap-Missing'

/** What asks every cell, and so says whether all answer again. */
const WHOLE = /^\/api\/(map|traces)\b/

let missing: { names: string; by: string } | null = null
const listeners = new Set<() => void>()

/** After an answer to a request for `url`. */
export function noteMissing(url: string, names: string | null): void {
  const by = url.split('?', 1)[0]!
  const next = names ? { names, by } : missing && (missing.by === by || WHOLE.test(by)) ? null : missing
  const changed = next?.names !== missing?.names
  missing = next
  if (changed) listeners.forEach((listener) => listener())
}

/** A sentence; empty while all answer. */
export function missingWords(): string {
  if (!missing) return ''
  const cells = missing.names.split('; ')
  const [verb, their] = cells.length > 1 ? ['do', 'their'] : ['does', 'its']
  const words = `${cells.join(', ')} ${verb} not answer: figures lack ${their} traces.`
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function onMissing(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}
