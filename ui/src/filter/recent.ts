// Expressions that were run in this browser, the latest first.

const KEY = 'raymap.filters'
const MOST = 30

export function recentFilters(): string[] {
  try {
    const saved: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(saved) ? saved.filter((one): one is string => typeof one === 'string') : []
  } catch {
    return []
  }
}

export function rememberFilter(text: string): void {
  if (!text.trim()) return
  const others = recentFilters().filter((one) => one !== text)
  localStorage.setItem(KEY, JSON.stringify([text, ...others].slice(0, MOST)))
}

/** The expression before the one that is shown; null at the oldest. */
export function olderFilter(shown: string): string | null {
  const all = recentFilters()
  return all[all.indexOf(shown) + 1] ?? null
}

/** The expression after the one that is shown; empty after the latest. */
export function newerFilter(shown: string): string | null {
  const all = recentFilters()
  const at = all.indexOf(shown)
  return at < 0 ? null : (all[at - 1] ?? '')
}
