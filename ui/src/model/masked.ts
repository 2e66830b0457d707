// What rules of redaction have removed from a trace, in words.

import { count } from './format'

/** "3 values are masked: 2 by token, 1 by card"; null when none is. */
export function maskedWords(masked: Readonly<Record<string, number>>): string | null {
  const rules = Object.entries(masked).sort(([a, x], [b, y]) => y - x || a.localeCompare(b))
  const total = rules.reduce((sum, [, values]) => sum + values, 0)
  if (total === 0) return null
  const by = rules.map(([rule, values]) => `${count(values)} by ${rule}`).join(', ')
  return `${total === 1 ? '1 value is' : `${count(total)} values are`} masked: ${by}`
}
