// The exact numbers of what the pointer rests on.

import { useLayoutEffect, useRef, type ReactNode } from 'react'
import type { MapEdge, MapNode } from '../api/types'
import { rate } from '../model/format'
import { isEstimated } from '../model/health'
import { StateSwatch } from '../components/StateSwatch'
import { declaredWords, estimateWords, innerWords, typeWords } from './describe'
import { shareFacts, timeFacts } from './facts'
import '../styles/mapTooltip.css'

export interface Pointed {
  id: string
  x: number
  y: number
  node?: MapNode
  edge?: MapEdge
  ends?: string
}

const OFFSET = 16

export function MapTooltip({ pointed }: { pointed: Pointed }): ReactNode {
  const box = useRef<HTMLDivElement>(null)
  const thing = (pointed.node ?? pointed.edge) as MapNode | MapEdge

  useLayoutEffect(() => {
    const own = box.current
    const around = own?.parentElement
    if (!own || !around) return
    const fits = pointed.x + OFFSET + own.offsetWidth < around.clientWidth
    const left = fits ? pointed.x + OFFSET : Math.max(4, pointed.x - OFFSET - own.offsetWidth)
    const top = Math.min(pointed.y + OFFSET, around.clientHeight - own.offsetHeight - 4)
    own.style.transform = `translate(${left}px, ${Math.max(4, top)}px)`
  }, [pointed])

  const perMinute = pointed.node ? pointed.node.traces_per_min : pointed.edge!.requests_per_min
  const isClient = pointed.node?.kind === 'client'
  const estimate = estimateWords(thing)
  return (
    <div className="tooltip map-tooltip" ref={box} role="tooltip">
      <strong>{pointed.node?.name ?? pointed.ends}</strong>
      {pointed.node && <span className="mute">{typeWords(pointed.node)}</span>}
      {pointed.edge?.declared && <span className="mute">{declaredWords(pointed.edge)}</span>}
      {!isClient && thing.declared !== 'never_seen' && (
        <table>
          <tbody>
            {timeFacts(thing).map(({ label, value }) => (
              <tr key={label}>
                <th>{label}</th>
                <td>{value}</td>
              </tr>
            ))}
            {perMinute !== null && (
              <tr>
                <th>{pointed.node?.work === 'background' ? 'Background' : 'Rate'}</th>
                <td>{rate(perMinute, isEstimated(thing))}</td>
              </tr>
            )}
            {shareFacts(thing).map(({ state, label, value }) => (
              <tr key={state}>
                <th>
                  <StateSwatch state={state} /> {label}
                </th>
                <td>{value}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {pointed.node?.inner && <span className="mute">{innerWords(pointed.node)}</span>}
      {estimate && <span className="mute">{estimate}</span>}
    </div>
  )
}
