import { describe, expect, test } from 'vitest'
import tokens from './tokens.css?raw'
import { ciede2000, contrast, seen, VISION } from './colour'
import { STATES } from '../model/health'

const SCHEMES = ['light', 'dark'] as const

function token(name: string, scheme: (typeof SCHEMES)[number]): string {
  const found = new RegExp(`--${name}: light-dark\\((#[0-9a-f]{6}), (#[0-9a-f]{6})\\)`).exec(tokens)
  if (!found) throw new Error(`tokens.css has no --${name}`)
  return found[scheme === 'light' ? 1 : 2] as string
}

test('CIEDE2000 agrees with a published pair', () => {
  // Sharma, Wu, Dalal (2005), table 1, pair 1
  expect(ciede2000([50, 2.6772, -79.7751], [50, 0, -82.7485])).toBeCloseTo(2.0425, 3)
})

describe.each(SCHEMES)('%s scheme', (scheme) => {
  const pairs = STATES.flatMap((one, i) => STATES.slice(i + 1).map((other) => [one, other] as const))

  test.each(Object.keys(VISION))('the four fills stay apart for %s vision', (vision) => {
    for (const [one, other] of pairs) {
      const apart = ciede2000(seen(token(one, scheme), vision), seen(token(other, scheme), vision))
      expect(apart, `${one} and ${other}`).toBeGreaterThanOrEqual(18)
    }
  })

  test.each(['bg', 'panel', 'raised'])('text is readable on %s', (ground) => {
    const words = ['ink', 'mute', 'acc', ...STATES.map((state) => `${state}-text`)]
    for (const word of words) {
      expect(contrast(token(word, scheme), token(ground, scheme)), word).toBeGreaterThanOrEqual(4.5)
    }
  })

  test('controls, edges and rings stand out from the background', () => {
    for (const shape of ['edge', 'acc', 'bar', 'ok', 'throttle', 'fault']) {
      expect(contrast(token(shape, scheme), token('bg', scheme)), shape).toBeGreaterThanOrEqual(3)
    }
  })

  test('yellow stands out by itself or by its outline', () => {
    const ground = token('bg', scheme)
    const best = Math.max(
      contrast(token('error', scheme), ground),
      contrast(token('outline', scheme), ground),
    )
    expect(best).toBeGreaterThanOrEqual(3)
  })

  test('words on the main button are readable', () => {
    expect(contrast(token('on-acc', scheme), token('acc', scheme))).toBeGreaterThanOrEqual(4.5)
  })
})
