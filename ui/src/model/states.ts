// What follows a state of a state machine, in words.

import type { StateList } from '../api/types'
import { count } from './format'

/** `↓ 118 · ends 4 · again 2 · Ship 1`: what follows it next in the flow first. */
export function leaving({ states, transitions }: StateList, name: string): string {
  const at = states.findIndex((state) => state.name === name)
  const next = states[at + 1]?.name
  const from = transitions.filter(({ source }) => source === name)
  const ranked = from.toSorted((a, b) => Number(b.target === next) - Number(a.target === next))
  return ranked.map(({ target, count: times }) => `${words(target)} ${count(times)}`).join(' · ')

  function words(target: string | null): string {
    if (target === null) return 'ends'
    if (target === name) return 'again'
    return target === next ? '↓' : target
  }
}
