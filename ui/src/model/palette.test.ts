import { expect, test } from 'vitest'
import { commandsFor, isBeforeServices } from './palette'

const someone = (role: string, tenant = '') => ({ name: 'ana', role, via: 'session', tenant })
const sources = {
  session: someone('viewer'),
  carried: { range: '1h', filter: null },
  here: (range: string) => `/map?range=${range}`,
  services: [{ id: 'n1', name: 'payments', type: 'AWS::Lambda::Function', requests: 9 }],
  views: [{ name: 'Checkout at night', path: '/map?range=6h&filter=fault' }],
  recent: ['fault AND name = "payments"', 'ok'],
}
const targets = (text: string) => commandsFor(text, sources).map(({ target }) => target)

test('without a text the pages are offered', () => {
  expect(commandsFor('', { ...sources, services: [], views: [] }).map(({ words }) => words)).toEqual([
    'Service map',
    'Traces',
    'Alarms',
    'Declared',
    'Compare environments, accounts or regions',
    'Groups',
    'Sampling rules',
    'Share links',
    'Notebooks',
  ])
})

test.each([
  [someone('editor'), []],
  [null, []],
  [someone('admin', 'acme'), ['/members', '/keys', '/audit']],
  [someone('admin'), ['/members', '/keys', '/tenants', '/settings', '/audit']],
  [
    { name: null, role: null, via: null, tenant: '' },
    ['/members', '/keys', '/tenants', '/settings', '/audit'],
  ],
])('pages of administration are offered to administrators: %o', (session, paths) => {
  const offered = commandsFor('', { ...sources, session, carried: {}, services: [], views: [] })
  expect(offered.map(({ target }) => target).slice(9)).toEqual(paths)
})

test('a service comes first, and leads to its place on the map', () => {
  expect(targets('pay')[0]).toBe('/map?range=1h&sel=n1')
})

test('a trace id in either form leads to the trace', () => {
  const id = '1-6926e5a0-0123456789abcdef01234567'
  expect(targets(id)[0]).toBe(`/traces/${id}?range=1h`)
  expect(targets('6926e5a00123456789abcdef01234567')[0]).toBe(`/traces/${id}?range=1h`)
})

test('times apply to the page that is open', () => {
  expect(targets('last 3')).toContain('/map?range=3h')
  expect(targets('24h')).toContain('/map?range=24h')
})

test('saved views are found by their names, and lead to what they say', () => {
  expect(targets('night')).toContain('/map?range=6h&filter=fault')
  expect(commandsFor('', { ...sources, services: [] }).at(-1)?.words).toBe('Checkout at night')
})

test('filters that were used are found again', () => {
  expect(targets('fault')).toContain('/traces?range=1h&filter=fault+AND+name+%3D+%22payments%22')
})

test('what stands before services is known before they are found', () => {
  const [page] = commandsFor('traces', { ...sources, services: [] })
  const [trace] = commandsFor('1-6926e5a0-0123456789abcdef01234567', { ...sources, services: [] })
  const [service] = commandsFor('pay', sources)
  const [time] = commandsFor('last 3', { ...sources, services: [] })
  expect([page, trace, service, time, undefined].map(isBeforeServices)).toEqual([
    true,
    true,
    false,
    false,
    false,
  ])
})
