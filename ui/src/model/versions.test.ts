import { expect, test } from 'vitest'
import { versionWords } from './versions'

test('versions as people write them', () => {
  const words = (version: string, named = true) => versionWords({ version, named })
  expect(['42', '1.4.0', 'v7', 'live'].map((each) => words(each))).toEqual(['v42', 'v1.4.0', 'v7', 'live'])
  expect(words('', false)).toBe('no version')
  expect(words('(other versions)', false)).toBe('(other versions)')
})
