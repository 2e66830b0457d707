// The routes of declarations (docs/declared.md).

import { currentScope } from '../model/scope'
import type { TimeWindow } from './client'
import type { components } from './types.gen'

type Schemas = components['schemas']

export type StackList = Schemas['StackList']
export type Stack = Schemas['StackLine']
export type Comparison = Schemas['ComparisonReply']
export type DeclaredNode = Schemas['DeclaredNode']
export type DeclaredEdge = Schemas['DeclaredEdge']
export type Status = DeclaredNode['status']

const ALL = '/api/v1/declarations'

/** The scope of the page selects stacks, as it selects traces elsewhere. */
export const declaredAddresses = {
  all: () => `${ALL}?${new URLSearchParams(currentScope()).toString()}`,
  compare: ({ from, to }: TimeWindow) =>
    `${ALL}/compare?${new URLSearchParams({ from: String(from), to: String(to), ...currentScope() }).toString()}`,
} as const
