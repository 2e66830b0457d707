// Two sides of one time, compared as two periods are: values of a dimension, or two filters. Pure.

import type { ComparedFigures, MapNode } from '../api/types'
import { DIMENSIONS, partId } from './grouping'

/** What tells sides apart, as the menu calls it. */
export const SIDES = {
  version: 'Two versions',
  environment: 'Two environments',
  account: 'Two accounts',
  region: 'Two regions',
  operation: 'Two operations',
  filter: 'Two filters',
} as const

export type By = keyof typeof SIDES

/** Empty: the server takes the values with most requests. */
export interface Sides {
  by: By
  side: string
  other: string
}

const MARK = 'by:'

/** What the address calls a comparison of sides. */
export function against(by: By): string {
  return `${MARK}${by}`
}

/** The sides that the address compares; null: none, or two periods. */
export function sidesOf(params: URLSearchParams): Sides | null {
  const [by] = (Object.keys(SIDES) as By[]).filter((one) => against(one) === params.get('against'))
  return by ? { by, side: params.get('side') ?? '', other: params.get('other') ?? '' } : null
}

/** Whether they can be compared: of filters both are needed. */
export function areGiven({ by, side, other }: Sides): boolean {
  return by !== 'filter' || (side !== '' && other !== '')
}

/** Where one side of a node or an edge is by itself. */
export interface SidePlace {
  id: string
  filter: string
  group_by: string
}

/** Of the side with this value; `own`: its id on this side. Null where only the comparison has it. */
export function placeOf(by: By, value: string, id: string, own: string | null): SidePlace | null {
  if (by === 'filter') return { id, filter: value, group_by: '' }
  const dimension = DIMENSIONS.find((one) => one === by)
  if (by === 'account' || by === 'region' || !dimension) return own === null ? null : place(own)
  return id.includes(':') ? null : { ...place(partId(id, value)), group_by: dimension }
}

function place(id: string): SidePlace {
  return { id, filter: '', group_by: '' }
}

/** A node with the figures of one side; as it is where no side has requests of its own, as of a table. */
export function withFigures(
  node: MapNode,
  one: ComparedFigures | null | undefined,
  other: ComparedFigures | null | undefined,
): MapNode {
  if (!one || !(one.requests || other?.requests)) return node
  const { requests_per_min: perMinute, ...more } = one
  return { ...node, ...more, unknown: 0, traces_per_min: perMinute }
}
