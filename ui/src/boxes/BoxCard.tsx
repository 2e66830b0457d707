// A group of services as a card: its ring, its figures, and who in it is unhealthy.

import { memo } from 'react'
import { GAP, WIDTH } from '../map/candidateRing'
import { arcs, BAND, DASH, type Arc as ArcOf } from '../map/geometry'
import { boxLabel, figuresHint, figuresWords, membersWords, rectOf, type BoxNode } from '../model/boxes'
import { count, percent } from '../model/format'
import { shares } from '../model/health'

interface Props {
  node: BoxNode
  isOpen: boolean
  isDim: boolean
  isUnhealthy: boolean
  onOpen(id: string): void
  onMember(member: string, box: string): void
  onPoint(id: string | null): void
}

export const BoxCard = memo(function BoxCard(props: Props) {
  const { node, isOpen, isDim, isUnhealthy, onOpen, onMember, onPoint } = props
  const { left, top, width, height } = rectOf(node)
  const { unhealthy, unhealthy_total: total } = node.box
  const at = (value: number) => `calc(var(--k) * ${value}px)`
  const className = ['box-card', isOpen && 'is-open', isDim && 'is-dim', isUnhealthy && 'is-unhealthy']
    .filter(Boolean)
    .join(' ')
  return (
    <div
      className={className}
      style={{ left: at(left), top: at(top), width: at(width), height: at(height) }}
      onPointerEnter={() => onPoint(node.id)}
      onPointerLeave={() => onPoint(null)}
    >
      <button
        type="button"
        className="box-button"
        data-box={node.id}
        aria-label={boxLabel(node)}
        aria-expanded={isOpen}
        title={[`${node.name}: ${membersWords(node)}`, node.delta?.words, 'Click to open']
          .filter(Boolean)
          .join('. ')}
        onClick={() => onOpen(node.id)}
        onFocus={(event) => event.target.matches(':focus-visible') && onPoint(node.id)}
        onBlur={() => onPoint(null)}
      />
      <div className="box-head" aria-hidden="true">
        <Ring node={node} />
        <div className="box-words">
          <strong>{node.name}</strong>
          <span>{membersWords(node)}</span>
        </div>
        {total > 0 && <b title={`${count(total)} unhealthy`}>✕ {count(total)}</b>}
        {node.delta && <i className={node.delta.begins ? 'box-delta' : 'box-delta follows'}>Δ</i>}
      </div>
      <span className="box-figures" aria-hidden="true" title={figuresHint(node)}>
        {figuresWords(node)}
      </span>
      {node.delta && (
        <span className="box-differs" aria-hidden="true">
          {node.delta.words.slice(2)}
        </span>
      )}
      {total > 0 && (
        <ul className="box-ill">
          {unhealthy.slice(0, 4).map((one) => (
            <li key={one.id}>
              <button type="button" tabIndex={-1} title={one.name} onClick={() => onMember(one.id, node.id)}>
                <span>{withoutPrefix(one.name, node.name)}</span>{' '}
                <span>{percent(one.failed / one.requests)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  )
})

/** What tells it from the others of its group, where all names of that begin alike. */
function withoutPrefix(name: string, group: string): string {
  return name.startsWith(group) && name.length > group.length ? `…${name.slice(group.length)}` : name
}

const SIZE = 44
/** Of the ring's measures on the map. */
const SCALE = 0.75
const BASE = 12

function Ring({ node }: { node: BoxNode }) {
  const part = shares(node)
  const then = node.earlier && shares({ ...node.earlier, unknown: 0 })
  return (
    <svg className="box-ring" viewBox={`0 0 ${SIZE} ${SIZE}`}>
      {part ? (
        arcs(part).map((arc) => <Arc key={arc.state} of={arc} />)
      ) : (
        <circle className="is-idle" cx={SIZE / 2} cy={SIZE / 2} r={14} />
      )}
      {then && (
        <g className="is-then">
          {arcs(then).map((arc) => (
            <Arc key={arc.state} of={arc} inner />
          ))}
        </g>
      )}
    </svg>
  )
}

/** As on the map a fault's band is wider than an ok's: colour is never the only sign. The inner ring grows inwards. */
function Arc({ of: { state, from, to }, inner = false }: { of: ArcOf; inner?: boolean }) {
  const width = BAND[state] * SCALE * (inner ? WIDTH : 1)
  const radius = inner ? BASE - GAP * SCALE - width / 2 : BASE + width / 2
  const whole = to - from > Math.PI * 2 - 0.001
  const point = (angle: number) =>
    `${(SIZE / 2 + radius * Math.cos(angle)).toFixed(2)} ${(SIZE / 2 + radius * Math.sin(angle)).toFixed(2)}`
  const gap = whole ? 0 : 0.03
  const end = whole ? to - 0.001 : to - gap
  const large = end - from > Math.PI ? 1 : 0
  return (
    <path
      d={`M${point(from + gap)}A${radius} ${radius} 0 ${large} 1 ${point(end)}`}
      stroke={`var(--${state})`}
      strokeWidth={width}
      strokeDasharray={DASH[state]?.join(' ')}
    />
  )
}
