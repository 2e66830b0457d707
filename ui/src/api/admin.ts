// The routes of administration: keys, members, tenants, settings, the audit log (docs/security.md).

import { send } from './client'
import type { components } from './types.gen'

type Schemas = components['schemas']

export type KeyLine = Schemas['KeyLine']
export type KeyList = Schemas['KeyList']
export type IssuedKey = Schemas['IssuedKey']
export type MemberLine = Schemas['MemberLine']
export type MemberList = Schemas['MemberList']
export type MemberPassword = Schemas['MemberPassword']
export type TenantLine = Schemas['TenantLine']
export type TenantList = Schemas['TenantList']
export type AddedTenant = Schemas['AddedTenant']
export type ServerSettings = Schemas['ServerSettings']
export type SettingLine = Schemas['SettingLine']

export interface AuditEvent {
  /** Microseconds since the epoch. */
  at: number
  actor: string
  via: string
  address: string
  action: string
  target: string
  outcome: string
}

export interface AuditPage {
  /** The newest first. */
  events: AuditEvent[]
  /** Where the next page begins; null on the last. */
  before: number | null
}

export const adminAddresses = {
  keys: '/api/v1/keys',
  members: '/api/v1/members',
  tenants: '/api/v1/tenants',
  /** Without what they have stored, which takes long to count. */
  tenantNames: '/api/v1/tenants?usage=false',
  settings: '/api/v1/settings',
  audit: (before: string | null) => `/api/v1/audit?limit=100${before ? `&before=${before}` : ''}`,
} as const

const one = (all: string, id: string) => `${all}/${encodeURIComponent(id)}`
const { keys, members, tenants } = adminAddresses

/** Its secrets come once. */
export const addKey = (body: object) => send<IssuedKey>('POST', keys, body)
export const rotateKey = (id: string) => send<IssuedKey>('POST', `${one(keys, id)}/rotate`, {})
export const revokeKey = (id: string) => send('DELETE', one(keys, id))

/** The password comes once. */
export const addMember = (body: object) => send<MemberPassword>('POST', members, body)
export const changeRole = (name: string, role: string) => send('PUT', one(members, name), { role })
export const resetPassword = (name: string) => send<MemberPassword>('POST', `${one(members, name)}/password`)
export const signMemberOut = (name: string) => send('POST', `${one(members, name)}/sign-out`)
export const removeMember = (name: string) => send('DELETE', one(members, name))

export const addTenant = (body: object) => send<AddedTenant>('POST', tenants, body)
export const limitTenant = (name: string, body: object) => send('PUT', one(tenants, name), body)
export const deleteTenant = (name: string) => send('DELETE', `${one(tenants, name)}?yes=true`)
