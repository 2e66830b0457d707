// What the pages of administration say of keys, limits and settings, and what their forms send.

import type { KeyLine, SettingLine } from '../api/admin'
import { bytes, count, date } from './format'

export const ROLES = {
  ingest: 'ingest: sends traces',
  viewer: 'viewer: reads',
  editor: 'editor: also groups, rules, alarms',
  admin: 'admin: everything',
} as const

export const MEMBER_ROLES = { viewer: ROLES.viewer, editor: ROLES.editor, admin: ROLES.admin } as const

/** `now` in epoch seconds. */
export function hasEnded({ expires, revoked }: KeyLine, now: number): boolean {
  return revoked !== null || (expires !== null && expires <= now)
}

export function keyState(key: KeyLine, now: number): string {
  if (key.revoked !== null) return `revoked ${date(key.revoked)}`
  if (key.expires === null) return 'valid'
  return `${hasEnded(key, now) ? 'expired' : 'until'} ${date(key.expires)}`
}

export interface Limits {
  documents_per_second?: number
  names_per_minute?: number
  bytes_per_day?: number
}

export function limitWords(limits: Limits | null): string {
  const { documents_per_second: rate, names_per_minute: names, bytes_per_day: size } = limits ?? {}
  return [
    rate && `${count(rate)} documents/s`,
    names && `${count(names)} names/min`,
    size && `${bytes(size)}/day`,
  ]
    .filter(Boolean)
    .join(', ')
}

const UNITS: Record<string, number> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }

/** Bytes of `5G`, `512 MiB` or a plain number, as on the command line; the text itself of anything else,
 * which the server refuses. */
export function sizeOf(text: string): number | string {
  const [, number, unit = ''] = /^([0-9]+(?:\.[0-9]+)?)\s*([kmgt]?)(?:i?b)?$/i.exec(text.trim()) ?? []
  return number === undefined ? text : Math.round(Number(number) * (UNITS[unit.toLowerCase()] as number))
}

/** A number of a form; its text if it is none, which the server refuses. Empty is 0: no limit. */
export function numberOf(text: string): number | string {
  const trimmed = text.trim()
  const number = Number(trimmed)
  return Number.isFinite(number) ? number : trimmed
}

/** The size as a form has it. */
export function sizeText(size: number | undefined): string {
  if (!size) return ''
  const unit = ['t', 'g', 'm', 'k'].find((one) => size % (UNITS[one] as number) === 0)
  return unit ? `${size / (UNITS[unit] as number)}${unit.toUpperCase()}` : String(size)
}

const SECRET = '…'

/** What stands for the value of a setting. */
export function settingWords({ value, unset }: SettingLine): { words: string; isSet: boolean } {
  if (value === SECRET) return { words: 'set, not shown', isSet: false }
  return value === '' ? { words: unset || 'none', isSet: false } : { words: value, isSet: true }
}
