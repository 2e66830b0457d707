import { afterEach, expect, test, vi } from 'vitest'
import { isShared, mapWords, readsUnfiltered, shareToken } from './share'

afterEach(() => vi.unstubAllGlobals())

test('the token is the fragment of one page', () => {
  vi.stubGlobal('location', { pathname: '/s', hash: '#rms_a.b' })
  expect(shareToken()).toBe('rms_a.b')
  expect(isShared()).toBe(true)
})

test('a link without its token is one, which the server refuses', () => {
  vi.stubGlobal('location', { pathname: '/s', hash: '' })
  expect(shareToken()).toBe('')
  expect(isShared()).toBe(true)
})

test('no other page has one', () => {
  for (const pathname of ['/', '/map', '/traces/1', '/s/', '/shared']) {
    vi.stubGlobal('location', { pathname, hash: '#rms_a.b' })
    expect(isShared()).toBe(false)
  }
})

test('the words of a map', () => {
  expect(mapWords({ from: 60, to: 120 })).toEqual({ from: '60', to: '120' })
  expect(mapWords({ from: 60, to: 120, filter: 'fault', account: '1' })).toEqual({
    from: '60',
    to: '120',
    filter: 'fault',
    account: '1',
  })
})

test('what no filter narrows belongs to a shared map of all traces only', () => {
  vi.stubGlobal('location', { pathname: '/map', search: '?account=1', hash: '' })
  expect(readsUnfiltered('fault')).toBe(true)
  vi.stubGlobal('location', { pathname: '/s', search: '?from=1&to=2', hash: '#t' })
  expect(readsUnfiltered('')).toBe(true)
  expect(readsUnfiltered('fault')).toBe(false)
  vi.stubGlobal('location', { pathname: '/s', search: '?from=1&to=2&account=1', hash: '#t' })
  expect(readsUnfiltered('')).toBe(false)
})
