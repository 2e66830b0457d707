// The colour tokens as the canvas needs them: resolved for the scheme that is shown now.

import { useEffect, useState } from 'react'

const NAMES = [
  'bg',
  'panel',
  'ink',
  'mute',
  'edge',
  'line',
  'acc',
  'outline',
  'bar',
  'ok',
  'error',
  'throttle',
  'fault',
  'unknown',
] as const

export type Palette = Record<(typeof NAMES)[number], string> & { dark: boolean; sans: string }

export function readPalette(): Palette {
  const probe = document.createElement('span')
  probe.hidden = true
  // High contrast replaces the colour of text; the canvas needs the token's own.
  probe.style.setProperty('forced-color-adjust', 'none')
  document.body.append(probe)
  const resolve = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const colours = Object.fromEntries(NAMES.map((name) => [name, resolve(name)]))
  const sans = getComputedStyle(document.body).fontFamily
  probe.remove()
  return { ...(colours as Record<(typeof NAMES)[number], string>), dark: isDark(colours['bg'] ?? ''), sans }
}

function isDark(background: string): boolean {
  const [red = 255] = (background.match(/\d+/g) ?? []).map(Number)
  return red < 128
}

export type ThemeChoice = 'system' | 'light' | 'dark'

const KEY = 'raymap.theme'
const CHANGED = 'raymap:theme'

export function themeChoice(): ThemeChoice {
  const saved = localStorage.getItem(KEY)
  return saved === 'light' || saved === 'dark' ? saved : 'system'
}

export function applyTheme(choice: ThemeChoice): void {
  if (choice === 'system') {
    localStorage.removeItem(KEY)
    delete document.documentElement.dataset['theme']
  } else {
    localStorage.setItem(KEY, choice)
    document.documentElement.dataset['theme'] = choice
  }
  window.dispatchEvent(new Event(CHANGED))
}

/** The palette of now; changes with the system's scheme and with the switch in the header. */
export function usePalette(): Palette {
  const [palette, setPalette] = useState(readPalette)
  useEffect(() => {
    const reread = () => setPalette(readPalette())
    const scheme = matchMedia('(prefers-color-scheme: dark)')
    const contrast = matchMedia('(forced-colors: active)')
    scheme.addEventListener('change', reread)
    contrast.addEventListener('change', reread)
    window.addEventListener(CHANGED, reread)
    return () => {
      scheme.removeEventListener('change', reread)
      contrast.removeEventListener('change', reread)
      window.removeEventListener(CHANGED, reread)
    }
  }, [])
  return palette
}
