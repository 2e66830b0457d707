// The routes of alarms (docs/alarms.md).

import { fetchJson, send } from './client'
import type { components } from './types.gen'

type Schemas = components['schemas']

export type Alarm = Schemas['AlarmLine']
export type AlarmList = Schemas['AlarmList']
export type AlarmDetails = Schemas['AlarmDetails']
export type AlarmChange = Schemas['AlarmChange']
export type AlarmState = Alarm['state']
export type TestReply = Schemas['TestDeliveries']

export type AlarmPreview = Schemas['AlarmPreview']

const ALL = '/api/v1/alarms'

export const alarmAddresses = {
  all: ALL,
  one: (name: string) => `${ALL}/${encodeURIComponent(name)}`,
} as const

export function putAlarm(name: string, body: object): Promise<unknown> {
  return send('PUT', alarmAddresses.one(name), body)
}

/** What a rule would have done over the last day. */
export function previewAlarm(body: object, signal: AbortSignal): Promise<AlarmPreview> {
  return fetchJson<AlarmPreview>(`${ALL}/preview`, signal, body)
}

export function deleteAlarm(name: string): Promise<unknown> {
  return send('DELETE', alarmAddresses.one(name))
}

/** Sends a test event to each webhook; what they answer. */
export function testAlarm(name: string): Promise<TestReply | null> {
  return send<TestReply>('POST', `${alarmAddresses.one(name)}/test`, {})
}
