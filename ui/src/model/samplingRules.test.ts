import { expect, test } from 'vitest'
import { memberOf, type SamplingRule } from '../api/xray'
import { conditionsOf, countsByRule, formOf, MEMBERS, NEW_RULE, ruleOf, updateOf } from './samplingRules'

const RULE: SamplingRule = {
  RuleName: 'pay',
  Priority: 10,
  ReservoirSize: 3,
  FixedRate: 0.07,
  ServiceName: 'payments',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: 'POST',
  URLPath: '/pay/*',
  ResourceARN: '*',
  Version: 1,
  Attributes: { tier: 'gold', 'a b': 'x=y' },
  SamplingRateBoost: { MaxRate: 0.29, CooldownWindowMinutes: 15 },
}

test('a rule comes back from its form as it was', () => {
  expect(ruleOf(formOf(RULE))).toEqual(RULE)
  expect(updateOf(formOf(RULE), RULE)).toEqual({ RuleName: 'pay' })
})

test('an update names what changed and nothing else', () => {
  const form = { ...formOf(RULE), FixedRate: '50', HTTPMethod: ' GET ' }
  expect(updateOf(form, RULE)).toEqual({ RuleName: 'pay', FixedRate: 0.5, HTTPMethod: 'GET' })
})

test('the server judges what is no number', () => {
  const rule: Record<string, unknown> = {
    ...ruleOf({ ...NEW_RULE, Priority: 'high', FixedRate: '', ReservoirSize: '1,5' }),
  }
  expect([rule['Priority'], rule['FixedRate'], rule['ReservoirSize']]).toEqual(['high', null, 1.5])
})

test.each([
  ['SamplingRule.FixedRate must lie between 0 and 1, got 2', 'FixedRate'],
  ['SamplingRule.SamplingRateBoost.MaxRate must lie between 0 and 1, got 2', 'MaxRate'],
  ["SamplingRule.RuleName: there is a rule 'a' already", 'RuleName'],
  ['Attributes: keys and values have 1 to 32 characters', 'Attributes'],
  ['there are 25 sampling rules, which is the limit', null],
])('%s is about %s', (message, member) => {
  expect(memberOf(message, MEMBERS)).toBe(member)
})

test('a rule says what it is for', () => {
  expect(conditionsOf(RULE)).toEqual([
    ['service', 'payments'],
    ['method', 'POST'],
    ['path', '/pay/*'],
    ['tier', 'gold'],
    ['a b', 'x=y'],
  ])
})

test('reports are added up by rule and minute', () => {
  const report = (RuleName: string, Timestamp: number, RequestCount: number) =>
    ({ RuleName, Timestamp, RequestCount, SampledCount: 1, BorrowCount: 0 }) as never
  const found = countsByRule([report('a', 9990, 5), report('a', 9930, 7), report('b', 0, 2)], 10_000)
  expect(found.get('a')).toMatchObject({ requests: 12, sampled: 2, borrowed: 0 })
  expect(found.get('a')?.minutes.slice(-2)).toEqual([7, 5])
  expect(found.get('b')?.minutes[0]).toBe(2)
})
