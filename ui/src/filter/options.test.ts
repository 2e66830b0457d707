import { expect, test } from 'vitest'
import { optionsAt } from './options'

const load = async () => [{ value: 'user-002', count: 3 }]

/** The text once the first option is taken. */
async function taken(text: string, position = text.length): Promise<string> {
  const found = await optionsAt(text, position, load)
  if (!found) throw new Error('no options')
  return text.slice(0, found.from) + found.options[0]?.apply + text.slice(position)
}

test.each([
  ['user = ', undefined, 'user = "user-002"'],
  // Typed before the editor was loaded, which closes quotes.
  ['user = "', undefined, 'user = "user-002"'],
  ['user = "us', undefined, 'user = "user-002"'],
  ['service("', undefined, 'service("user-002"'],
  // With the quote that the editor has added.
  ['user = "us"', 10, 'user = "user-002"'],
  ['user = "us" AND fault', 10, 'user = "user-002" AND fault'],
  ['annotation.us', undefined, 'annotation.user-002'],
])('%s', async (text, position, expected) => {
  expect(await taken(text, position)).toBe(expected)
})
