// Numbers as people read them. Short forms for the map, exact forms for tooltips and panels.

const DASH = '–'

/** 3.4, 42, 1.2k, 3.4M */
export function short(value: number | null | undefined): string {
  if (value == null) return DASH
  const size = Math.abs(value)
  if (size === 0) return '0'
  if (size < 0.05) return '<0.1'
  if (size < 9.95) return trimmed(value.toFixed(1))
  if (size < 999.5) return value.toFixed(0)
  if (size < 999_500) return scaled(value / 1e3) + 'k'
  if (size < 999_500_000) return scaled(value / 1e6) + 'M'
  return scaled(value / 1e9) + 'G'
}

function scaled(value: number): string {
  return Math.abs(value) < 9.95 ? trimmed(value.toFixed(1)) : value.toFixed(0)
}

function trimmed(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text
}

/** 250 µs, 4.2 ms, 87 ms, 1.84 s, 2 min 5 s */
export function duration(ms: number | null | undefined): string {
  if (ms == null) return DASH
  if (ms === 0) return '0 ms'
  if (ms < 0.9995) return `${Math.max(1, Math.round(ms * 1000))} µs`
  if (ms < 9.95) return `${trimmed(ms.toFixed(1))} ms`
  if (ms < 999.5) return `${ms.toFixed(0)} ms`
  if (ms < 59_995) return `${(ms / 1000).toFixed(2)} s`
  return longDuration(Math.round(ms / 1000))
}

function longDuration(seconds: number): string {
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const from = parts.findIndex(([amount]) => amount > 0)
  const shown = parts.slice(from, from + 2).filter(([amount]) => amount > 0)
  return shown.map(([amount, unit]) => `${amount} ${unit}`).join(' ')
}

/** The number in a ring's hole, room for four characters: 42 (milliseconds), 3.6s, 36s, 4m, 2h. */
export function ringLabel(ms: number | null): string {
  if (ms == null) return ''
  if (ms < 999.5) return short(ms)
  const seconds = ms / 1000
  if (seconds < 9.95) return `${seconds.toFixed(1)}s`
  if (seconds < 99.5) return `${seconds.toFixed(0)}s`
  const minutes = seconds / 60
  return minutes < 99.5 ? `${minutes.toFixed(0)}m` : `${(minutes / 60).toFixed(0)}h`
}

/** 120/min, and ≈120/min when that is estimated. */
export function rate(perMinute: number | null, estimated = false): string {
  return perMinute == null ? DASH : `${estimated ? '≈' : ''}${short(perMinute)}/min`
}

/** 42 ms · 120/min, without what is not known. */
export function timeAndRate(ms: number | null, perMinute: number | null, estimated = false): string {
  return [ms === null ? '' : duration(ms), perMinute === null ? '' : rate(perMinute, estimated)]
    .filter(Boolean)
    .join(' · ')
}

export function count(value: number | null | undefined): string {
  return value == null ? DASH : value.toLocaleString('en-US')
}

/** 12 %, 0.3 %, <0.1 %. A share that is not whole never reads as 0 % or 100 %. */
export function percent(share: number): string {
  const value = share * 100
  if (value === 0) return '0 %'
  if (value < 0.1) return '<0.1 %'
  if (value > 99.9 && value < 100) return '>99.9 %'
  if (value < 10 || value > 99) return `${trimmed(value.toFixed(1))} %`
  return `${value.toFixed(0)} %`
}

/** How a value changed: +12 %, −3 %, ±0 %, new. Null when there is nothing to compare with. */
export function change(now: number | null, before: number | null | undefined): string | null {
  if (now == null || before == null) return null
  if (before === 0) return now === 0 ? '±0 %' : 'new'
  const ratio = now / before - 1
  if (Math.abs(ratio) < 0.005) return '±0 %'
  const sign = ratio > 0 ? '+' : '−'
  return ratio > 9.99 ? `×${short(ratio + 1)}` : `${sign}${Math.abs(ratio * 100).toFixed(0)} %`
}

export function age(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s ago`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ago`
  if (whole < 172_800) return `${Math.floor(whole / 3600)} h ago`
  return `${Math.floor(whole / 86_400)} d ago`
}

const two = (value: number) => String(value).padStart(2, '0')

export function clock(epoch: number, utc = false): string {
  const at = new Date(epoch * 1000)
  return utc
    ? `${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())}`
    : `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
}

/** The viewer's time zone at an instant: UTC, CET, GMT+2. */
export function zone(epoch = Date.now() / 1000): string {
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(epoch * 1000)
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? ''
}

export function date(epoch: number, utc = false): string {
  const at = new Date(epoch * 1000)
  return utc
    ? `${at.getUTCFullYear()}-${two(at.getUTCMonth() + 1)}-${two(at.getUTCDate())}`
    : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

export function dateTime(epoch: number, utc = false): string {
  return `${date(epoch, utc)} ${clock(epoch, utc)} ${utc ? 'UTC' : zone(epoch)}`
}

/** From–to, with the day named once when both ends share it. */
export function span(from: number, to: number, utc = false): string {
  const end = date(from, utc) === date(to, utc) ? clock(to, utc) : `${date(to, utc)} ${clock(to, utc)}`
  return `${date(from, utc)} ${clock(from, utc)} – ${end} ${utc ? 'UTC' : zone(to)}`
}

export function bytes(size: number): string {
  if (size < 1024) return `${size} B`
  if (size < 1024 ** 2) return `${(size / 1024).toFixed(1)} KiB`
  if (size < 1024 ** 3) return `${(size / 1024 ** 2).toFixed(1)} MiB`
  return `${(size / 1024 ** 3).toFixed(1)} GiB`
}

export function cut(text: string, length: number): string {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
