import { expect, test } from 'vitest'
import type { LogLine, TraceRow } from '../api/types'
import { groupLines, levelWord } from './logLines'

const row = (id: string) => ({ id, name: id }) as TraceRow
const line = (id: string, segment: string | null) => ({ id, segment, severity: '', record: '' }) as LogLine
const link = (segment: string | null) => ({ segment, label: 'x', url: 'https://x' })

test('lines and links stand under their rows in the order of the timeline, the others last', () => {
  const logs = {
    lines: [line('1', null), line('2', 'b'), line('3', 'a'), line('4', 'b'), line('5', 'gone')],
    left_out: 0,
    links: [link('c'), link(null), link('a')],
  }
  const groups = groupLines(logs, [row('a'), row('b'), row('c'), row('d')])
  expect(
    groups.map(({ row: at, lines, links }) => [at?.id, lines.map(({ id }) => id), links.length]),
  ).toEqual([
    ['a', ['3'], 1],
    ['b', ['2', '4'], 0],
    ['c', [], 1],
    [undefined, ['1', '5'], 0],
  ])
})

test("the platform's lines say so in place of a level", () => {
  expect(levelWord({ ...line('1', null), record: 'report' })).toBe('Lambda')
  expect(levelWord({ ...line('1', null), severity: 'warn' })).toBe('Warning')
})
