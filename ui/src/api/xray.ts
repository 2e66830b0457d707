// X-Ray's operations on groups and sampling rules; their errors name the member that is wrong.

import { send } from './client'
import type { components } from './types.gen'

type Schemas = components['schemas']

export type Group = Schemas['XRayGroupSummary']
export type SamplingRule = Schemas['XRaySamplingRule']
export type SamplingRuleRecord = Schemas['XRaySamplingRuleRecord']
export type SamplingSummary = Schemas['XRaySamplingStatisticSummary']

export const operations = {
  groups: '/Groups',
  rules: '/GetSamplingRules',
  samplingSummaries: '/SamplingStatisticSummaries',
} as const

export type GroupsReply = Schemas['XRayGetGroupsResult']
export type RulesReply = Schemas['XRayGetSamplingRulesResult']
export type SamplingReply = Schemas['XRayGetSamplingStatisticSummariesResult']

export function createGroup(name: string, expression: string): Promise<unknown> {
  return send('POST', '/CreateGroup', { GroupName: name, FilterExpression: expression })
}

export function updateGroup(name: string, expression: string): Promise<unknown> {
  return send('POST', '/UpdateGroup', { GroupName: name, FilterExpression: expression })
}

export function deleteGroup(name: string): Promise<unknown> {
  return send('POST', '/DeleteGroup', { GroupName: name })
}

export function createRule(rule: SamplingRule): Promise<unknown> {
  return send('POST', '/CreateSamplingRule', { SamplingRule: rule })
}

export function updateRule(update: Schemas['XRaySamplingRuleUpdate']): Promise<unknown> {
  return send('POST', '/UpdateSamplingRule', { SamplingRuleUpdate: update })
}

export function deleteRule(name: string): Promise<unknown> {
  return send('POST', '/DeleteSamplingRule', { RuleName: name })
}

/** Which of a form's members an error is about: `SamplingRule.FixedRate must lie …` → FixedRate. */
export function memberOf(message: string, members: readonly string[]): string | null {
  const path = /^[\w.]+/.exec(message)?.[0].split('.') ?? []
  return path.findLast((part) => members.includes(part)) ?? null
}
