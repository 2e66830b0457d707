import { memo } from 'react'
import type { PathPiece } from '../api/types'
import { duration } from '../model/format'
import { barPlace, spanPlace, type Span, type TimelineRow } from '../model/timeline'
import { StatusMark } from './StatusMark'

export const ROW_HEIGHT = 24

interface Props {
  row: TimelineRow
  index: number
  shown: Span
  /** The pieces of the critical path that belong to the row. */
  path: readonly PathPiece[]
  /** A search means other rows. */
  dimmed: boolean
  /** Pixels per level. */
  indent: number
  selected: boolean
  active: boolean
  onFold(id: string, close: boolean): void
  onSelect(id: string): void
}

export const WaterfallRow = memo(function WaterfallRow(props: Props) {
  const { row, index, shown, path, dimmed, indent, selected, active, onFold, onSelect } = props
  const { id, depth, kind, name, namespace, status, exception } = row.row
  const classes = [
    'waterfall-row',
    `is-${kind}`,
    selected && 'is-selected',
    active && 'is-active',
    dimmed && 'is-dimmed',
  ]
  return (
    // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the treegrid around it has the keys
    <div
      className={classes.filter(Boolean).join(' ')}
      id={`row-${id}`}
      role="row"
      aria-level={depth + 1}
      aria-rowindex={index + 1}
      aria-selected={selected}
      aria-expanded={row.hasChildren ? !row.folded : undefined}
      style={{ top: index * ROW_HEIGHT }}
      onClick={() => onSelect(id)}
    >
      <div className="row-name" role="gridcell" style={{ paddingLeft: 6 + depth * indent }}>
        {Array.from({ length: depth }, (_, level) => (
          <i key={level} className="guide" style={{ left: 13 + level * indent }} />
        ))}
        <Caret row={row} onFold={onFold} />
        <span className="row-text" title={name}>
          {name}
        </span>
        <StatusMark status={status} bare />
        {exception && <span className={`row-note status-${status}`}>{exception}</span>}
        {!exception && (namespace || kind === 'inferred') && (
          <span className="row-note mute">{kind === 'inferred' ? 'inferred' : namespace}</span>
        )}
      </div>
      <Track row={row} shown={shown} path={path} />
      <div className="row-duration" role="gridcell">
        {row.row.duration_ms === null ? 'in progress' : duration(row.row.duration_ms)}
      </div>
    </div>
  )
})

function Caret({ row, onFold }: Pick<Props, 'row' | 'onFold'>) {
  if (!row.hasChildren) return <span className="caret" />
  return (
    <button
      type="button"
      className="caret"
      tabIndex={-1}
      aria-label={row.folded ? `Unfold ${row.row.name}` : `Fold ${row.row.name}`}
      onClick={(event) => {
        event.stopPropagation()
        onFold(row.row.id, !row.folded)
      }}
    >
      {row.folded ? '▸' : '▾'}
    </button>
  )
}

function Track({ row, shown, path }: Pick<Props, 'row' | 'shown' | 'path'>) {
  const { left, width, outside } = barPlace(row.row, shown)
  const { status, kind, name, start_ms: start, duration_ms: length } = row.row
  const onPath = path.reduce((sum, { from_ms, to_ms }) => sum + to_ms - from_ms, 0)
  const words =
    `${name}: starts after ${duration(start)}, ${length === null ? 'in progress' : duration(length)}` +
    (onPath > 0 ? `, ${duration(onPath)} on the critical path` : '')
  return (
    <div className="track" role="gridcell" aria-label={words}>
      {!outside && (
        <div
          className={`trace-bar bar-${status} bar-${kind}`}
          title={words}
          style={{ left: `${left}%`, width: `${width}%` }}
        />
      )}
      {path.map(({ from_ms, to_ms }) => {
        const piece = spanPlace(from_ms, to_ms, shown)
        return (
          piece && (
            <i
              key={from_ms}
              className="path-piece"
              style={{ left: `${piece.left}%`, width: `${piece.width}%` }}
            />
          )
        )
      })}
    </div>
  )
}
