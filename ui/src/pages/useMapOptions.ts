import { useState } from 'react'
import { DEFAULT_OPTIONS } from '../map/view'
import type { MapOptions } from '../model/visibility'

const KEY = 'raymap.options'

/** The map's options, remembered in this browser. */
export function useMapOptions(): [MapOptions, (options: MapOptions) => void] {
  const [options, setOptions] = useState(read)
  const change = (next: MapOptions) => {
    localStorage.setItem(KEY, JSON.stringify(next))
    setOptions(next)
  }
  return [options, change]
}

function read(): MapOptions {
  try {
    const saved = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<MapOptions>
    return {
      ...DEFAULT_OPTIONS,
      ...saved,
      thresholds: { ...DEFAULT_OPTIONS.thresholds, ...saved.thresholds },
    }
  } catch {
    return DEFAULT_OPTIONS
  }
}
