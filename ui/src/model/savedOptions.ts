// The map's options that were changed in this browser.

import type { MapOptions } from './visibility'

const KEY = 'raymap.options'

export function savedOptions(): Partial<MapOptions> {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<MapOptions>
  } catch {
    return {}
  }
}

export function saveOptions(options: Partial<MapOptions>): void {
  localStorage.setItem(KEY, JSON.stringify(options))
}
