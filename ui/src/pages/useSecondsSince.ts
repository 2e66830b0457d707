import { useEffect, useState } from 'react'

/** Whole seconds that `active` has been true; starts again when `restart` changes. */
export function useSecondsSince(active: boolean, restart: unknown): number {
  const [seconds, setSeconds] = useState(0)
  useEffect(() => {
    setSeconds(0)
    if (!active) return
    const started = Date.now()
    const timer = setInterval(() => setSeconds(Math.floor((Date.now() - started) / 1000)), 1000)
    return () => clearInterval(timer)
  }, [active, restart])
  return active ? seconds : 0
}
