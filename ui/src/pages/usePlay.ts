// Play: one window after the other, each once the map has shown the one before, up to the present.

import { useEffect, useRef, useState } from 'react'
import type { TimeWindow } from '../api/client'

const EACH_MS = 1000

interface Playing {
  shown: TimeWindow
  day: TimeWindow
  /** Whether the map waits for its answer. */
  busy: boolean
  onWindow(window: TimeWindow): void
}

export function usePlay({ shown, day, busy, onWindow }: Playing) {
  const [playing, setPlaying] = useState(false)
  const { from, to } = shown
  const length = to - from
  const latest = useRef(onWindow)
  latest.current = onWindow
  useEffect(() => {
    if (!playing || busy) return
    const end = Math.floor(Date.now() / 60_000) * 60
    if (to >= end) return setPlaying(false)
    const timer = setTimeout(() => {
      const next = Math.min(to + length, end)
      latest.current({ from: next - length, to: next })
    }, EACH_MS)
    return () => clearTimeout(timer)
  }, [playing, busy, from, to, length])
  return {
    playing,
    stop: () => setPlaying(false),
    toggle: () => {
      // At the end there is nothing more to play: from the beginning of the day.
      if (!playing && to + 60 > Date.now() / 1000 - 60) onWindow({ from: day.from, to: day.from + length })
      setPlaying(!playing)
    },
  }
}
