// Single points of failure and circles of calls, over the map: the switch for them, and a list of the heaviest.

import { useQuery } from '@tanstack/react-query'
import { useEffect, useMemo, type ReactNode } from 'react'
import { addresses, fetchJson, type TimeWindow } from '../api/client'
import type { Structure } from '../api/types'
import { parseRange } from '../model/range'
import { markWindow } from '../model/rollouts'
import { currentScope } from '../model/scope'
import { pointWords, singlePoints, type SinglePoint } from '../model/structure'
import { setParams, useAddress } from './router'
import { rangeKey } from './useTimeWindow'

const LISTED = 4
const NONE: readonly SinglePoint[] = []

interface Props {
  window: TimeWindow
  filter: string
  /** Whether there is a map, or its list, on the screen. */
  shown: boolean
  onPoints(points: readonly SinglePoint[]): void
}

export function StructureLayer({ window, filter, shown, onPoints }: Props) {
  const { params } = useAddress()
  const on = params.get('structure') === '1'
  const { data, error } = useQuery({
    queryKey: ['structure', rangeKey(parseRange(params)), markWindow(window).to, filter, currentScope()],
    queryFn: ({ signal }) => fetchJson<Structure>(addresses.structure(window, filter), signal),
    enabled: on && shown,
    retry: false,
    placeholderData: (before) => before,
  })
  const points = useMemo(() => (on && data ? singlePoints(data) : NONE), [on, data])
  useEffect(() => onPoints(points), [points, onPoints])
  if (!shown) return null
  return (
    <div className="declared-switch" role="group" aria-label="Single points of failure">
      <button
        type="button"
        className="legend-entry"
        aria-pressed={on}
        title="Mark services that others are reached through alone, and list circles of calls"
        onClick={() => setParams({ structure: on ? null : '1' })}
      >
        Single points
      </button>
      {on && error && !data && <span role="status">could not be found</span>}
      {on && data && points.length === 0 && <span className="mute">none</span>}
      {points.slice(0, LISTED).map((point) => (
        <span key={point.id} className="structure-point">
          <Name of={point} title={pointWords(point)} />{' '}
          <span className="mute" aria-hidden="true">
            {point.only_through}
          </span>
        </span>
      ))}
      {points.length > LISTED && <span className="mute">{points.length - LISTED} more, marked</span>}
      {on &&
        data?.circles.slice(0, 2).map((circle) => (
          <span key={circle[0]?.id}>
            <span className="mute">circle:</span>{' '}
            {joined(circle.slice(0, 4).map((one) => <Name key={one.id} of={one} />))}
            {circle.length > 4 && ` and ${circle.length - 4} more`}
          </span>
        ))}
      {on && data && data.circles.length > 2 && (
        <span className="mute">{data.circles.length - 2} more circles</span>
      )}
    </div>
  )
}

function Name({
  of: { id, name, type },
  title = type,
}: {
  of: Structure['circles'][number][number]
  title?: string
}) {
  return (
    <button type="button" className="link" title={title} onClick={() => setParams({ sel: id })}>
      {name}
    </button>
  )
}

function joined(names: readonly ReactNode[]): ReactNode[] {
  return names.flatMap((name, index) => (index ? [' ⇄ ', name] : [name]))
}
