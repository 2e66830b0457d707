// Steps of the shown window by keys and by "Play": shown at once, and requested when the keys rest. A run of steps leaves
// one entry in the history.

import { useEffect, useRef, useState } from 'react'
import type { TimeWindow } from '../api/client'
import type { Range } from '../model/range'
import { moved } from '../model/scrubber'
import { rangeKey } from './useTimeWindow'

const REST_MS = 300

export interface Steps {
  /** Where the keys have moved it, while that is not requested. */
  pending: TimeWindow | null
  by(seconds: number): void
  commit(window: TimeWindow): void
  /** What is chosen otherwise is an entry of its own, and so is the next step. */
  forget(): void
}

export function useSteps(
  shown: TimeWindow,
  range: Range,
  onRange: (range: Range, replace?: boolean) => void,
): Steps {
  const [pending, setPending] = useState<TimeWindow | null>(null)
  const last = useRef<string | null>(null)
  const commit = (window: TimeWindow) => {
    const next: Range = { kind: 'fixed', ...window }
    const goesOn = last.current === rangeKey(range)
    last.current = rangeKey(next)
    setPending(null)
    onRange(next, goesOn)
  }
  const latest = useRef(commit)
  latest.current = commit
  useEffect(() => {
    if (!pending) return
    const timer = setTimeout(() => latest.current(pending), REST_MS)
    return () => clearTimeout(timer)
  }, [pending])
  return {
    pending,
    by: (seconds) => setPending((old) => moved(old ?? shown, seconds, Date.now() / 1000)),
    commit,
    forget: () => {
      last.current = null
      setPending(null)
    },
  }
}
