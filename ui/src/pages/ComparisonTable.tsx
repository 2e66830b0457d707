// What differs between the two sides of a comparison, a service a row. Every number leads to its traces.

import type { MapNode } from '../api/types'
import { shift, SIDES, slowdown, type Comparison, type Pair, type Side } from '../model/comparison'
import { duration, percent, rate } from '../model/format'
import { isEstimated, shares, STATE_LABELS, STATES, type State } from '../model/health'
import { KindBadge } from '../components/KindBadge'
import { Link } from './router'
import '../styles/tables.css'

const FAILING = STATES.filter((state) => state !== 'ok')
/** Differences below these are not marked: a percent of the requests, a tenth of the time. */
const LEAST_SHIFT = 0.01
const LEAST_SLOWDOWN = 1.1

interface Props {
  pairs: readonly Pair[]
  titles: Comparison
  selected: string | null
  tracesOf(side: Side, node: string, status: string | null): string
  onSelect(id: string): void
}

export function ComparisonTable({ pairs, titles, selected, tracesOf, onSelect }: Props) {
  return (
    <div className="comparison-frame">
      <table className="table comparison-table">
        <caption className="visually-hidden">
          Services of {titles.left} and {titles.right}, those that differ most first
        </caption>
        <thead>
          <tr>
            <th rowSpan={2}>Service</th>
            {['Rate', 'Average', ...FAILING.map((state) => STATE_LABELS[state].word)].map((words) => (
              <th key={words} colSpan={2} scope="colgroup" className="numeric">
                {words}
              </th>
            ))}
          </tr>
          <tr>
            {['rate', 'average', ...FAILING].flatMap((metric) =>
              SIDES.map((side) => (
                <th key={`${metric} ${side}`} className={`numeric side-${side}`} title={titles[side]}>
                  {titles[side]}
                </th>
              )),
            )}
          </tr>
        </thead>
        <tbody>
          {pairs.map((one) => (
            <tr
              key={`${one.key} ${one.left ? 'l' : ''}${one.right ? 'r' : ''}`}
              className={one.key === selected ? 'is-selected' : undefined}
            >
              <td className="node-cell">
                <KindBadge kind={((one.left ?? one.right) as MapNode).kind} size={20} />
                <button
                  type="button"
                  className="link"
                  aria-pressed={one.key === selected}
                  onClick={() => onSelect(one.key)}
                >
                  {one.name}
                </button>
                {!(one.left && one.right) && (
                  <span className="only-in">only in {one.left ? titles.left : titles.right}</span>
                )}
              </td>
              <Cells pair={one} side="left" tracesOf={tracesOf} metric="rate" />
              <Cells pair={one} side="right" tracesOf={tracesOf} metric="rate" />
              <Cells pair={one} side="left" tracesOf={tracesOf} metric="average" />
              <Cells pair={one} side="right" tracesOf={tracesOf} metric="average" />
              {FAILING.flatMap((state) =>
                SIDES.map((side) => (
                  <Cells key={`${state} ${side}`} pair={one} side={side} tracesOf={tracesOf} metric={state} />
                )),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

interface CellProps extends Pick<Props, 'tracesOf'> {
  pair: Pair
  side: Side
  metric: 'rate' | 'average' | State
}

function Cells({ pair, side, metric, tracesOf }: CellProps) {
  const node = pair[side]
  const words = node ? valueOf(node, metric) : null
  const isState = metric !== 'rate' && metric !== 'average'
  const worse = side === worseSide(pair, metric)
  const className = ['numeric', `side-${side}`, worse && (isState ? `is-worse status-${metric}` : 'is-worse')]
  return (
    <td className={className.filter(Boolean).join(' ')}>
      {node && words ? (
        <Link
          href={tracesOf(side, node.id, isState ? metric : null)}
          title={worse ? 'Worse than the other side' : undefined}
        >
          {words}
          {worse && <span aria-hidden="true"> ▴</span>}
          {worse && <span className="visually-hidden">, worse</span>}
        </Link>
      ) : (
        '–'
      )}
    </td>
  )
}

function valueOf(node: MapNode, metric: CellProps['metric']): string | null {
  if (metric === 'rate')
    return node.traces_per_min === null ? null : rate(node.traces_per_min, isEstimated(node))
  if (metric === 'average') return node.avg_ms === null ? null : duration(node.avg_ms)
  const parts = shares(node)
  return parts && percent(parts[metric])
}

/** The side that fails more or takes longer, if the difference is worth a mark. */
function worseSide(pair: Pair, metric: CellProps['metric']): Side | null {
  if (metric === 'rate') return null
  if (metric === 'average') {
    const times = slowdown(pair)
    if (times === null || Math.max(times, 1 / times) < LEAST_SLOWDOWN) return null
    return times > 1 ? 'right' : 'left'
  }
  const more = shift(pair, metric)
  if (more === null || Math.abs(more) < LEAST_SHIFT) return null
  return more > 0 ? 'right' : 'left'
}
