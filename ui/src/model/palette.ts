// What the command palette offers for a text: pages, times, services, saved views, a trace by its id.

import type { Session } from '../api/client'
import { administers, administersServer } from './session'
import { PRESETS } from './range'
import { normalTraceId } from './traceId'
import { href, type Changes } from './url'

export interface Command {
  key: string
  words: string
  /** What kind of thing it is, and what it leads to. */
  hint: string
  target: string
}

export interface ServiceHit {
  id: string
  name: string
  type: string
  requests: number | null
}

interface Sources {
  /** Who is signed in: some pages are administrators'. */
  session: Session | null
  /** Words of the address that go along: the range and the filter. */
  carried: Changes
  /** The address that a time range applies to. */
  here: (range: string) => string
  services: readonly ServiceHit[]
  /** Saved ones. */
  views: readonly { name: string; path: string }[]
  recent: readonly string[]
}

const MOST_VIEWS = 8

const PAGES: readonly (readonly [path: string, words: string, who?: (session: Session) => boolean])[] = [
  ['/map', 'Service map'],
  ['/traces', 'Traces'],
  ['/alarms', 'Alarms'],
  ['/declared', 'Declared'],
  ['/compare', 'Compare environments, accounts or regions'],
  ['/groups', 'Groups'],
  ['/sampling', 'Sampling rules'],
  ['/shares', 'Share links'],
  ['/notebooks', 'Notebooks'],
  ['/members', 'Members', administers],
  ['/keys', 'API keys', administers],
  ['/tenants', 'Tenants', administersServer],
  ['/settings', 'Settings of the server', administersServer],
  ['/audit', 'Audit log', administers],
]

/** Whether a command is listed before services, whichever of them are found. */
export function isBeforeServices(command: Command | undefined): boolean {
  return /^(trace|page) /.test(command?.key ?? '')
}

export function commandsFor(
  text: string,
  { session, carried, here, services, views, recent }: Sources,
): Command[] {
  const wanted = text.trim().toLowerCase()
  const has = (words: string) => words.toLowerCase().includes(wanted)
  const id = normalTraceId(text)
  const trace: Command[] = id
    ? [{ key: `trace ${id}`, words: id, hint: 'Open the trace', target: href(`/traces/${id}`, carried) }]
    : []
  const found: Command[] = services.map((one) => ({
    key: `service ${one.id}`,
    words: one.name,
    hint: `${one.type || 'service'}: show on the map`,
    target: href('/map', { ...carried, sel: one.id }),
  }))
  const mayOpen = (who?: (session: Session) => boolean) => !who || (session !== null && who(session))
  const pages: Command[] = PAGES.filter(([, words, who]) => has(words) && mayOpen(who)).map(
    ([path, words]) => ({
      key: `page ${path}`,
      words,
      hint: 'Open the page',
      target: href(path, carried),
    }),
  )
  const saved: Command[] = views
    .filter(({ name }) => has(name))
    .slice(0, MOST_VIEWS)
    .map(({ name, path }) => ({ key: `view ${name}`, words: name, hint: 'Open the view', target: path }))
  const times: Command[] = PRESETS.filter(
    ({ words, key }) => wanted !== '' && (has(words) || key === wanted),
  ).map(({ key, words }) => ({ key: `time ${key}`, words, hint: 'Show this time', target: here(key) }))
  const filters: Command[] = recent
    .filter((one) => wanted !== '' && one.toLowerCase().includes(wanted))
    .slice(0, 5)
    .map((filter) => ({
      key: `filter ${filter}`,
      words: filter,
      hint: 'Filter that was used',
      target: href('/traces', { ...carried, filter }),
    }))
  const matchesPage = wanted !== '' && pages.length > 0
  return [
    ...trace,
    ...(matchesPage ? pages : []),
    ...found,
    ...(matchesPage ? [] : pages),
    ...saved,
    ...times,
    ...filters,
  ]
}
