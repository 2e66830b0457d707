// What calls of models, agents and tools did, without who made them.

import type { GenAIUsage } from '../api/types'
import { count } from './format'

type Operation = GenAIUsage['operations'][number]

export interface UsageRow {
  words: string
  calls: number
  /** '–' where no span says. */
  input: string
  output: string
  cost: string
  /** What its calls are, as a block of edge(); '' for any. */
  condition: string
}

/** A row for each operation and what it was of; the most frequent first. */
export function usageRows({ operations }: GenAIUsage): UsageRow[] {
  const found = new Map<string, Operation>()
  const conditions = new Map<string, Set<string>>()
  for (const each of operations) {
    const words = [each.operation || 'call', each.model || each.tool].filter(Boolean).join(' · ')
    const known = found.get(words)
    found.set(words, known ? sum(known, each) : each)
    conditions.set(words, (conditions.get(words) ?? new Set()).add(each.condition))
  }
  return [...found]
    .map(([words, each]) => ({
      words,
      calls: each.calls,
      input: each.calls_with_tokens ? count(each.input_tokens) : '–',
      output: each.calls_with_tokens ? count(each.output_tokens) : '–',
      cost: each.cost_usd === null ? '' : `$${each.cost_usd.toPrecision(3)}`,
      condition: either([...conditions.get(words)!]),
    }))
    .sort((a, b) => b.calls - a.calls)
}

function sum(a: Operation, b: Operation): Operation {
  return {
    ...a,
    calls: a.calls + b.calls,
    calls_with_tokens: a.calls_with_tokens + b.calls_with_tokens,
    input_tokens: a.input_tokens + b.input_tokens,
    output_tokens: a.output_tokens + b.output_tokens,
    cost_usd: a.cost_usd === null && b.cost_usd === null ? null : (a.cost_usd ?? 0) + (b.cost_usd ?? 0),
  }
}

/** Few differ: callers say the same of a call, or leave some of it to a span around. */
function either(conditions: string[]): string {
  return conditions.includes('') ? '' : conditions.join(' OR ')
}
