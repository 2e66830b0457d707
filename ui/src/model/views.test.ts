import { expect, test } from 'vitest'
import { describe, isSame, savesViews, viewOf } from './views'

const view = (query: string, path = '/map', isFolded = true) =>
  viewOf(path, new URLSearchParams(query), isFolded)

test('an address is a view with its time said, and without the problem of the moment', () => {
  expect(view('filter=fault&problem=p1')).toEqual({ page: 'map', query: 'filter=fault&range=15m&fold=1' })
  expect(view('from=60&to=120&sel=n1', '/traces')).toEqual({ page: 'traces', query: 'from=60&to=120&sel=n1' })
  expect(view('by=account&left=1&right=2', '/compare')?.page).toBe('compare')
})

test.each(['/alarms', '/traces/1-6926e5a0-0123456789abcdef01234567', '/nowhere'])('%s is none', (path) => {
  expect(view('', path)).toBeNull()
})

test('a view may be saved at the instants on the screen', () => {
  const fixed = viewOf('/map', new URLSearchParams('range=1h&kiosk=1'), true, {
    kind: 'fixed',
    from: 60,
    to: 120,
  })
  expect(fixed?.query).toBe('kiosk=1&from=60&to=120&fold=1')
})

test('where one looks does not make another view', () => {
  const one = view('range=1h&filter=fault')!
  expect(isSame(one, view('filter=fault&view=1,2,1&sel=n1&range=1h')!)).toBe(true)
  expect(isSame(one, view('filter=fault&range=3h')!)).toBe(false)
  expect(isSame(one, view('range=1h&filter=fault', '/traces')!)).toBe(false)
})

test('a view of the map says whether it is folded; of an older one that is not known', () => {
  expect(view('range=1h', '/map', false)?.query).toBe('range=1h&fold=0')
  expect(view('range=1h&fold=1', '/map', false)?.query).toBe('range=1h&fold=1')
  expect(view('range=1h', '/traces', false)?.query).toBe('range=1h')
  expect(isSame(view('range=1h')!, view('range=1h', '/map', false)!)).toBe(false)
  expect(isSame({ page: 'map', query: 'range=1h' }, view('range=1h', '/map', false)!)).toBe(true)
  expect(describe(view('range=1h', '/map', false)!)).toBe('Service map · last hour · not folded')
})

test('it says what it shows', () => {
  const query =
    'range=3h&account=111122223333&group_by=version&boxes=stack&as=list&declared=1&status=fault,error&kiosk=1'
  expect(describe({ page: 'map', query })).toBe(
    'Service map · last 3 hours · 111122223333 · by version · boxes by stack · as a list · with what is declared · ' +
      'fault, error · wall screen',
  )
  expect(describe({ page: 'compare', query: 'left=dev&right=prod' })).toBe(
    'Comparison · last 15 minutes · dev and prod',
  )
})

test.each([
  [null, null, true],
  ['ann', 'editor', true],
  ['ann', 'admin', true],
  ['ann', 'viewer', false],
])('%s, %s, saves views: %s', (name, role, may) => {
  expect(savesViews({ name, role, via: null, tenant: '' })).toBe(may)
  expect(savesViews(null)).toBe(false)
})
