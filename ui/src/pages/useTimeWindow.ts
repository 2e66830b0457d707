// The window that is looked at. A live range moves on at every refresh, unless something holds it.

import { useCallback, useEffect, useMemo, useState } from 'react'
import type { TimeWindow } from '../api/client'
import { windowOf, type Range } from '../model/range'

const REFRESH_KEY = 'raymap.refresh'
export const REFRESH_CHOICES = [0, 5, 10, 30, 60] as const

export function readRefresh(): number {
  const saved = Number(localStorage.getItem(REFRESH_KEY) ?? 10)
  return (REFRESH_CHOICES as readonly number[]).includes(saved) ? saved : 10
}

export function saveRefresh(seconds: number): void {
  localStorage.setItem(REFRESH_KEY, String(seconds))
}

const now = () => Date.now() / 1000

export function useTimeWindow(range: Range, refresh: number, held: boolean): [TimeWindow, () => void] {
  const key = range.kind === 'live' ? range.preset.key : `${range.from}-${range.to}`
  const [tick, setTick] = useState(0)
  const advance = useCallback(() => setTick((value) => value + 1), [])
  const isLive = range.kind === 'live'

  useEffect(() => {
    if (!isLive || refresh === 0 || held) return
    const timer = setInterval(() => document.hidden || advance(), refresh * 1000)
    const wake = () => document.hidden || advance()
    document.addEventListener('visibilitychange', wake)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', wake)
    }
  }, [isLive, refresh, held, advance])

  const window = useMemo(() => windowOf(range, now()), [key, tick])
  return [window, advance]
}
