// The comparison, over the map: the switch and its keys.

import { useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import type { ProblemList } from '../api/types'
import { nextPeriod, periodOf } from '../model/periods'
import { parseRange } from '../model/range'
import { setParams, useAddress } from './router'
import { useKeys } from './useKeys'
import '../styles/periods.css'

/** What Escape clears first. */
const BEFORE = ['sel', 'focus', 'q', 'state', 'problem']

const NOTHING = { against: null, side: null, other: null }

/** `shown`: whether there is a map, or its list, on the screen. */
export function PeriodLayer({ shown }: { shown: boolean }) {
  const { params } = useAddress()
  const against = periodOf(params)
  const client = useQueryClient()
  const next = () => {
    const problems = client.getQueryData<ProblemList>(['problems'])?.problems ?? []
    const range = parseRange(params)
    const end = range.kind === 'fixed' ? range.to : Infinity
    const isWrong = problems.some(
      ({ state, muted_until, since }) => state === 'active' && muted_until === null && since < end,
    )
    setParams({ ...NOTHING, against: nextPeriod(against, isWrong) })
  }
  useKeys({ c: () => shown && next() })
  useEscape(against !== null && !BEFORE.some((word) => params.has(word)))
  if (!shown) return null
  return (
    <div className="declared-switch" role="group" aria-label="Compare in time">
      <button
        type="button"
        className="legend-entry"
        aria-pressed={against !== null}
        title="With an earlier period, or two versions, environments, accounts, filters (C)"
        onClick={() => (against === null ? next() : setParams(NOTHING))}
      >
        Compare in time
      </button>
    </div>
  )
}

/** Before the map's own Escape, which would clear something else, or nothing. */
function useEscape(active: boolean): void {
  useEffect(() => {
    if (!active) return
    const press = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || document.querySelector('dialog[open]')) return
      event.preventDefault()
      event.stopPropagation()
      setParams(NOTHING)
    }
    document.addEventListener('keydown', press, { capture: true })
    return () => document.removeEventListener('keydown', press, { capture: true })
  }, [active])
}
