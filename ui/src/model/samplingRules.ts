// Sampling rules as a form edits them, and what clients reported of them.

import type { SamplingRule, SamplingSummary } from '../api/xray'

/** Members with a pattern, in which * and ? are wildcards. */
export const PATTERNS = [
  'ServiceName',
  'ServiceType',
  'Host',
  'HTTPMethod',
  'URLPath',
  'ResourceARN',
] as const
export type Pattern = (typeof PATTERNS)[number]

export const MEMBERS = [
  'RuleName',
  'Priority',
  'ReservoirSize',
  'FixedRate',
  ...PATTERNS,
  'Attributes',
  'MaxRate',
  'CooldownWindowMinutes',
] as const
export type Member = (typeof MEMBERS)[number]

/** What is in the fields, as text: a number that is being typed is none yet. */
export type RuleForm = Record<Member, string>

export const NEW_RULE: RuleForm = {
  RuleName: '',
  Priority: '100',
  ReservoirSize: '1',
  FixedRate: '5',
  ServiceName: '*',
  ServiceType: '*',
  Host: '*',
  HTTPMethod: '*',
  URLPath: '*',
  ResourceARN: '*',
  Attributes: '',
  MaxRate: '',
  CooldownWindowMinutes: '',
}

export function formOf(rule: SamplingRule): RuleForm {
  const boost = rule.SamplingRateBoost
  return {
    RuleName: rule.RuleName ?? '',
    Priority: String(rule.Priority),
    ReservoirSize: String(rule.ReservoirSize),
    FixedRate: percentText(rule.FixedRate),
    ServiceName: rule.ServiceName,
    ServiceType: rule.ServiceType,
    Host: rule.Host,
    HTTPMethod: rule.HTTPMethod,
    URLPath: rule.URLPath,
    ResourceARN: rule.ResourceARN,
    Attributes: Object.entries(rule.Attributes ?? {})
      .map(([key, value]) => `${key}=${value}`)
      .join('\n'),
    MaxRate: boost ? percentText(boost.MaxRate) : '',
    CooldownWindowMinutes: boost ? String(boost.CooldownWindowMinutes ?? '') : '',
  }
}

/** What the fields say, for CreateSamplingRule. The server judges it: a text that is no number is sent as it is. */
export function ruleOf(form: RuleForm): SamplingRule {
  const rule = {
    RuleName: form.RuleName.trim(),
    Priority: numberOf(form.Priority),
    ReservoirSize: numberOf(form.ReservoirSize),
    FixedRate: shareOf(form.FixedRate),
    Version: 1,
    Attributes: attributesOf(form.Attributes),
    ...Object.fromEntries(PATTERNS.map((member) => [member, form[member].trim()])),
    ...((form.MaxRate.trim() || form.CooldownWindowMinutes.trim()) && {
      SamplingRateBoost: {
        MaxRate: shareOf(form.MaxRate),
        CooldownWindowMinutes: numberOf(form.CooldownWindowMinutes),
      },
    }),
  }
  return rule as unknown as SamplingRule
}

/** What changed, for UpdateSamplingRule: of the rule Default most members may not even be named. */
export function updateOf(form: RuleForm, before: SamplingRule): Partial<SamplingRule> {
  const [after, old] = [ruleOf(form), ruleOf(formOf(before))]
  const changed = Object.entries(after).filter(
    ([member, value]) =>
      member !== 'Version' && JSON.stringify(value) !== JSON.stringify(old[member as keyof SamplingRule]),
  )
  return { ...Object.fromEntries(changed), RuleName: before.RuleName ?? '' }
}

function numberOf(text: string): number | string | null {
  const trimmed = text.trim().replace(',', '.')
  if (!trimmed) return null
  const value = Number(trimmed)
  return Number.isFinite(value) ? value : trimmed
}

/** Percent → share of one, without the noise of binary fractions. */
function shareOf(text: string): number | string | null {
  const value = numberOf(text)
  return typeof value === 'number' ? Number((value / 100).toPrecision(12)) : value
}

function percentText(share: number): string {
  return String(Number((share * 100).toPrecision(12)))
}

/** `key=value`, one a line. */
function attributesOf(text: string): Record<string, string> {
  const lines = text.split('\n').filter((line) => line.trim())
  return Object.fromEntries(
    lines.map((line) => {
      const at = line.indexOf('=')
      return at < 0 ? [line.trim(), ''] : [line.slice(0, at).trim(), line.slice(at + 1).trim()]
    }),
  )
}

/** What a rule applies to, without what is any: `GET api.example.com /pay/*`. */
export function conditionsOf(rule: SamplingRule): [what: string, pattern: string][] {
  const words: Record<Pattern, string> = {
    ServiceName: 'service',
    ServiceType: 'type',
    Host: 'host',
    HTTPMethod: 'method',
    URLPath: 'path',
    ResourceARN: 'resource',
  }
  const patterns = PATTERNS.filter((member) => rule[member] !== '*').map((member): [string, string] => [
    words[member],
    rule[member],
  ])
  return [...patterns, ...Object.entries(rule.Attributes ?? {})]
}

export interface RuleCounts {
  requests: number
  sampled: number
  borrowed: number
  /** Requests of each minute, the latest last. */
  minutes: number[]
}

const MINUTES = 30

/** Sums of what clients reported in the last half hour before `now` (epoch seconds), by rule. */
export function countsByRule(
  summaries: readonly SamplingSummary[],
  now: number,
): ReadonlyMap<string, RuleCounts> {
  const found = new Map<string, RuleCounts>()
  for (const one of summaries) {
    const name = one.RuleName ?? ''
    const sums = found.get(name) ?? {
      requests: 0,
      sampled: 0,
      borrowed: 0,
      minutes: Array.from({ length: MINUTES }, () => 0),
    }
    found.set(name, sums)
    sums.requests += one.RequestCount ?? 0
    sums.sampled += one.SampledCount ?? 0
    sums.borrowed += one.BorrowCount ?? 0
    const minute = MINUTES - 1 - Math.floor((now - Number(one.Timestamp ?? now)) / 60)
    const at = Math.max(0, Math.min(MINUTES - 1, minute))
    sums.minutes[at] = (sums.minutes[at] ?? 0) + (one.RequestCount ?? 0)
  }
  return found
}
