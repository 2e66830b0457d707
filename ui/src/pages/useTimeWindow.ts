// The window on the screen. A live range moves on at every refresh, unless it is paused.

import { useEffect, useState } from 'react'
import type { TimeWindow } from '../api/client'
import { windowOf, type Range } from '../model/range'

const REFRESH_KEY = 'raymap.refresh'
export const REFRESH_CHOICES = [0, 5, 10, 15, 30, 60] as const
const USUAL_REFRESH = 15

/** Seconds between refreshes as chosen in this browser; 0 is off. */
export function readRefresh(): number {
  const saved = Number(localStorage.getItem(REFRESH_KEY) ?? USUAL_REFRESH)
  return (REFRESH_CHOICES as readonly number[]).includes(saved) ? saved : USUAL_REFRESH
}

export function saveRefresh(seconds: number): void {
  localStorage.setItem(REFRESH_KEY, String(seconds))
}

/** Names a range: equal for all windows of one live range. */
export function rangeKey(range: Range): string {
  return range.kind === 'live' ? range.preset.key : `${range.from}-${range.to}`
}

const secondsNow = () => Date.now() / 1000

export function useTimeWindow(range: Range, refresh: number, paused: boolean): TimeWindow {
  const key = rangeKey(range)
  const [now, setNow] = useState(() => ({ key, seconds: secondsNow() }))
  if (now.key !== key) setNow({ key, seconds: secondsNow() })
  const isLive = range.kind === 'live'

  useEffect(() => {
    if (!isLive || refresh === 0 || paused) return
    const advance = () => {
      if (!document.hidden) setNow((old) => ({ ...old, seconds: secondsNow() }))
    }
    const timer = setInterval(advance, refresh * 1000)
    document.addEventListener('visibilitychange', advance)
    return () => {
      clearInterval(timer)
      document.removeEventListener('visibilitychange', advance)
    }
  }, [isLive, refresh, paused])

  return windowOf(range, now.seconds)
}
