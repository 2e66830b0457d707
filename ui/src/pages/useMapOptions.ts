import { useMemo, useState } from 'react'
import type { Thresholds } from '../model/health'
import { DEFAULT_OPTIONS, type MapOptions } from '../model/visibility'
import { useServerStatus } from './useServerStatus'

const KEY = 'raymap.options'

type Saved = Partial<MapOptions>

/** The map's options, remembered in this browser; thresholds are the server's until they are changed here. */
export function useMapOptions(): [MapOptions, (options: MapOptions) => void] {
  const [saved, setSaved] = useState(read)
  const { status } = useServerStatus()
  const { share, count } = status?.unhealthy ?? DEFAULT_OPTIONS.thresholds
  const options = useMemo(
    () => ({ ...DEFAULT_OPTIONS, ...saved, thresholds: saved.thresholds ?? { share, count } }),
    [saved, share, count],
  )
  const change = ({ thresholds, ...rest }: MapOptions) => {
    const next = equal(thresholds, { share, count }) ? rest : { ...rest, thresholds }
    localStorage.setItem(KEY, JSON.stringify(next))
    setSaved(next)
  }
  return [options, change]
}

function equal(one: Thresholds, other: Thresholds): boolean {
  return one.share === other.share && one.count === other.count
}

function read(): Saved {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Saved
  } catch {
    return {}
  }
}
