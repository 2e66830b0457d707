// What the corner of the header says of the server. Pure.

import type { ServerStatus } from '../api/types'
import { count } from './format'

/** Probes in a row that must fail, and seconds that the data must be old, before it is said in red. */
const FAILED_PROBES = 2
const OLD_S = 60

export interface Probes {
  /** The last answer; null before the first. */
  status: ServerStatus | null
  /** Whether the last probe was answered. */
  reachable: boolean
  /** Probes in a row without an answer, or whose answer was that queries cannot be answered. */
  failed: number
  /** Seconds since a page last received what it shows; Infinity when none has. */
  dataAge: number
}

export interface ServerState {
  tone: 'ok' | 'slow' | 'bad' | 'unknown'
  words: string
  /** Why, where the words alone leave that open. */
  hint?: string
}

export function serverState({ status, reachable, failed, dataAge }: Probes): ServerState {
  if (failed >= FAILED_PROBES && dataAge > OLD_S) {
    return { tone: 'bad', words: reachable ? 'Not ready' : 'No connection' }
  }
  if (!status) return { tone: 'unknown', words: 'Connecting' }
  if (failed > 0) {
    return { tone: 'slow', words: 'Slow', hint: 'The last check of the server failed or took too long.' }
  }
  if (status.problems.length > 0) return { tone: 'slow', words: 'Problem' }
  const lost = status.ingest.dropped + (status.ingest.kernel_drops ?? 0)
  if (lost > 0) return { tone: 'slow', words: `${count(lost)} dropped` }
  if (status.ingest.received > 0) return { tone: 'ok', words: 'Receiving' }
  return status.has_traces ? { tone: 'ok', words: 'Ready' } : { tone: 'unknown', words: 'Waiting' }
}
