import { useState } from 'react'
import type { MapOptions } from '../map/picture'

const KEY = 'raymap.options'
const DEFAULT: MapOptions = { edgeNumbers: false, hideIdle: false, onlyUnhealthy: false }

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
    return { ...DEFAULT, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<MapOptions>) }
  } catch {
    return DEFAULT
  }
}
