import { expect, test } from 'vitest'
import { criticalPath, timeByService, type PathPiece } from './criticalPath'
import { row } from './samples'

const span = (id: string, parent: string | null, start: number, end: number, depth = parent ? 1 : 0) =>
  row(id, { parent, depth, start_ms: start, duration_ms: end - start })

const words = (rows: ReturnType<typeof span>[]) =>
  criticalPath(rows).map(({ id, from, to }) => `${id ?? 'nothing'} ${from}-${to}`)

test('calls one after the other are all on the path, and what the caller does between them', () => {
  const rows = [span('a', null, 0, 100), span('b', 'a', 10, 40), span('c', 'a', 50, 90)]
  expect(words(rows)).toEqual(['a 0-10', 'b 10-40', 'a 40-50', 'c 50-90', 'a 90-100'])
})

test('of parallel calls the one that ended last was waited for', () => {
  const rows = [span('a', null, 0, 100), span('b', 'a', 10, 90), span('c', 'a', 10, 60), span('d', 'a', 2, 9)]
  expect(words(rows)).toEqual(['a 0-2', 'd 2-9', 'a 9-10', 'b 10-90', 'a 90-100'])
})

test('work that outlasts its caller was not waited for, but the trace ends with it', () => {
  const rows = [
    span('a', null, 0, 50),
    span('sync', 'a', 5, 20),
    span('async', 'a', 30, 80),
    span('inner', 'async', 40, 70, 2),
  ]
  expect(words(rows)).toEqual(['a 0-5', 'sync 5-20', 'a 20-30', 'async 30-40', 'inner 40-70', 'async 70-80'])
})

test('work that began after its caller had ended waited in between', () => {
  expect(words([span('a', null, 0, 50), span('queued', 'a', 70, 90)])).toEqual([
    'a 0-50',
    'nothing 50-70',
    'queued 70-90',
  ])
})

test('several roots follow each other', () => {
  expect(words([span('a', null, 0, 30), span('b', null, 40, 60), span('c', null, 20, 50)])).toEqual([
    'a 0-20',
    'c 20-40',
    'b 40-60',
  ])
})

test('clocks may differ by a little, in both directions', () => {
  expect(words([span('a', null, 0, 50), span('b', 'a', -5, 50.6)])).toEqual(['b -5-50.6'])
})

test('time is counted for the service that spent it', () => {
  const rows = [span('a', null, 0, 100), span('b', 'a', 10, 60), span('c', 'a', 40, 90)]
  expect(timeByService(rows, criticalPath(rows))).toEqual([
    { service: 'c', rows: 1, self: 50, onPath: 50 },
    { service: 'a', rows: 1, self: 20, onPath: 50 },
    { service: 'b', rows: 1, self: 50, onPath: 0 },
  ])
})

test('a cold start that lies before its invocation is counted once', () => {
  const rows = [
    { ...span('lambda', null, 0, 560), service: 'catalog' },
    { ...span('function', 'lambda', 520, 555), service: 'catalog' },
    { ...span('init', 'function', 10, 515, 2), service: 'catalog' },
  ]
  expect(timeByService(rows, criticalPath(rows))).toMatchObject([{ rows: 3, self: 560 }])
})

test('no service has more self time than the trace', () => {
  for (let seed = 1; seed <= 300; seed++) {
    const rows = trace(seed).map((one) => ({ ...one, service: one.id.slice(0, 2) }))
    const start = Math.min(...rows.map((one) => one.start_ms))
    const end = Math.max(...rows.map((one) => one.start_ms + (one.duration_ms ?? 0)))
    for (const { self } of timeByService(rows, [])) {
      expect(self, `seed ${seed}`).toBeLessThanOrEqual(end - start + 1e-6)
      expect(self).toBeGreaterThanOrEqual(0)
    }
  }
})

/** Small numbers from a seed (mulberry32): the same traces in every run. */
function chances(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Calls within, beside and after their callers, in progress, with several roots. */
function trace(seed: number) {
  const chance = chances(seed)
  const count = 1 + Math.floor(chance() * 40)
  const rows: ReturnType<typeof span>[] = []
  for (let at = 0; at < count; at++) {
    const parent = chance() < 0.08 ? undefined : rows[Math.floor(chance() * at)]
    const base = parent ? parent.start_ms : chance() * 50
    const length = parent?.duration_ms ?? 100
    const start = base + (chance() * 1.2 - 0.05) * length
    const duration = chance() < 0.1 ? 0 : chance() * length
    rows.push({
      ...span(`s${at}`, parent?.id ?? null, start, start + duration, (parent?.depth ?? -1) + 1),
      ...(chance() < 0.03 && { duration_ms: null }),
    })
  }
  return rows
}

/** Whether a piece lies outside of the row it belongs to, by more than clocks may differ. */
function isOutside({ id, from, to }: PathPiece, rows: ReturnType<typeof span>[]): boolean {
  const own = rows.find((one) => one.id === id)
  if (!own || own.duration_ms === null) return false
  return from < own.start_ms - 1 || to > own.start_ms + own.duration_ms + 1
}

test('the pieces add up to the duration of 1,000 generated traces, without gap or overlap', () => {
  for (let seed = 1; seed <= 1000; seed++) {
    const rows = trace(seed)
    const path = criticalPath(rows)
    const start = Math.min(...rows.map((one) => one.start_ms))
    const end = Math.max(...rows.map((one) => one.start_ms + (one.duration_ms ?? 0)))
    const total = path.reduce((sum, { from, to }) => sum + to - from, 0)
    expect(Math.abs(total - (end - start)), `seed ${seed}`).toBeLessThanOrEqual(1)
    expect(path.filter(({ from, to }) => to <= from)).toEqual([])
    expect(path.slice(1).filter(({ from }, at) => Math.abs(from - (path[at]?.to ?? 0)) > 1e-6)).toEqual([])
    expect(path.filter((piece) => isOutside(piece, rows))).toEqual([])
  }
})

test('10,000 rows take a moment', () => {
  const rows = [span('root', null, 0, 10_000)]
  for (let at = 0; at < 10_000; at++) rows.push(span(`c${at}`, 'root', at, at + 0.9))
  // The best of three, as the machine may be busy.
  const times = [1, 2, 3].map(() => {
    const begun = performance.now()
    expect(criticalPath(rows).length).toBe(20_000)
    return performance.now() - begun
  })
  expect(Math.min(...times)).toBeLessThan(500)
})
