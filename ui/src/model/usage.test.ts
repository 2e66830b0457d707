import { expect, test } from 'vitest'
import type { GenAIUsage } from '../api/types'
import { usageRows } from './usage'

type Operation = GenAIUsage['operations'][number]

const chat: Operation = {
  source: 'n1',
  target: 'n2',
  source_name: 'shop',
  target_name: 'openai',
  type: 'GenAI::Model',
  operation: 'chat',
  model: 'gpt-5',
  tool: '',
  calls: 3,
  calls_with_tokens: 2,
  input_tokens: 1500,
  output_tokens: 20,
  cost_usd: null,
  condition: 'a = 1',
}

function rows(...operations: Operation[]) {
  return usageRows({
    from: 0,
    to: 1,
    data_until: 1,
    incomplete: null,
    traces: 1,
    complete: true,
    operations,
  })
}

test('callers of one operation are one row, the most frequent row first', () => {
  const embedding = { ...chat, operation: 'embeddings', calls: 4, cost_usd: 0.25 }
  const other = { ...chat, source: 'n3', calls: 2, calls_with_tokens: 0, input_tokens: 0, output_tokens: 0 }
  expect(rows(chat, embedding, other)).toEqual([
    { words: 'chat · gpt-5', calls: 5, input: '1,500', output: '20', cost: '', condition: 'a = 1' },
    {
      words: 'embeddings · gpt-5',
      calls: 4,
      input: '1,500',
      output: '20',
      cost: '$0.250',
      condition: 'a = 1',
    },
  ])
})

test('what no span says is not zero', () => {
  const tool = { ...chat, operation: 'tools/call', model: '', tool: 'search', calls_with_tokens: 0 }
  expect(rows(tool)).toEqual([
    { words: 'tools/call · search', calls: 3, input: '–', output: '–', cost: '', condition: 'a = 1' },
  ])
})

test('costs add up where one is known', () => {
  const [row] = rows(chat, { ...chat, cost_usd: 0.5 }, { ...chat, cost_usd: 1 })
  expect(row?.cost).toBe('$1.50')
})

test('a row is of the calls of any of its operations', () => {
  const other = { ...chat, source: 'n3', condition: 'b = 2' }
  expect(rows(chat, other, chat).map(({ condition }) => condition)).toEqual(['a = 1 OR b = 2'])
  expect(rows(chat, { ...chat, condition: '' }).map(({ condition }) => condition)).toEqual([''])
})
