// Whether the figures of a window are all that was received.

import type { ServiceMap } from '../api/types'
import { count } from './format'

/** Seconds that documents always wait to be counted while they arrive; more than that is worth saying. */
const USUAL = 10

/** What is still being counted at an instant (epoch seconds); null when all of it is counted, or almost. */
export function incompleteNote({ incomplete }: Pick<ServiceMap, 'incomplete'>, now: number): string | null {
  if (!incomplete || now - incomplete.since <= USUAL) return null
  const minutes = incomplete.minutes === 1 ? '1 minute is' : `${count(incomplete.minutes)} minutes are`
  return `Incomplete: ${minutes} still being counted.`
}
