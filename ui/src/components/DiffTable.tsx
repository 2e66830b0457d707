// The rows of two traces, aligned.

import { useRef, type ReactNode } from 'react'
import type { TraceRow } from '../api/types'
import { duration } from '../model/format'
import { CHANGE_WORDS, type DiffRow } from '../model/traceDiff'
import { indentFor } from '../model/timeline'
import { Spacer, useRowsInSight } from './rowsInSight'
import { StatusMark } from './StatusMark'
import '../styles/tables.css'

interface Props {
  rows: readonly DiffRow[]
  /** A link to a row of the other trace. */
  otherLink(row: string, words: string): ReactNode
  onRow(row: string): void
}

const ROW_HEIGHT = 29
const DEEPEST_INDENT = 150

export function DiffTable({ rows, otherLink, onRow }: Props) {
  const body = useRef<HTMLTableSectionElement>(null)
  const sight = useRowsInSight(body, rows.length, ROW_HEIGHT)
  const indent = indentFor(
    rows.map(({ depth }) => ({ depth }) as TraceRow),
    DEEPEST_INDENT,
  )
  return (
    <table className="table diff-table" aria-label="Differences" aria-rowcount={rows.length + 1}>
      <thead>
        <tr>
          <th>Segment</th>
          <th>Change</th>
          <th>Here</th>
          <th>There</th>
          <th className="numeric">Longer</th>
        </tr>
      </thead>
      <tbody ref={body}>
        <Spacer height={sight.from * ROW_HEIGHT} />
        {rows.slice(sight.from, sight.to).map((row, offset) => (
          <tr key={row.key} className={`is-${row.change}`} aria-rowindex={sight.from + offset + 2}>
            <td className="diff-name" style={{ paddingLeft: 16 + row.depth * indent }}>
              <Name row={row} otherLink={otherLink} onRow={onRow} />
            </td>
            <td>
              {row.change !== 'same' && (
                <span className={`change-${row.change}`}>{CHANGE_WORDS[row.change]}</span>
              )}
            </td>
            <td>
              <Time row={row.here} longest={longestOf(row)} />
            </td>
            <td>
              <Time row={row.there} longest={longestOf(row)} />
            </td>
            <td className="numeric">{signed(row.longer)}</td>
          </tr>
        ))}
        <Spacer height={(rows.length - sight.to) * ROW_HEIGHT} />
      </tbody>
    </table>
  )
}

function Name({ row, otherLink, onRow }: { row: DiffRow } & Pick<Props, 'otherLink' | 'onRow'>) {
  const { here, there } = row
  const shown = (here ?? there) as TraceRow
  const note = here?.exception || (shown.kind === 'inferred' ? 'inferred' : shown.namespace)
  return (
    <>
      {here ? (
        <button type="button" className="link" title="Show it in the timeline" onClick={() => onRow(here.id)}>
          {shown.name}
        </button>
      ) : (
        otherLink(shown.id, shown.name)
      )}
      {note && ' '}
      {note && <span className={here?.exception ? `note status-${here.status}` : 'note mute'}>{note}</span>}
    </>
  )
}

/** A row's bars compare its two times; beside a whole trace most would be too short to see. */
function longestOf({ here, there }: DiffRow): number {
  return Math.max(here?.duration_ms ?? 0, there?.duration_ms ?? 0)
}

function Time({ row, longest }: { row: TraceRow | null; longest: number }) {
  if (!row) return <span className="mute">–</span>
  const ms = row.duration_ms
  return (
    <span className="duration-cell">
      <span className="duration-number">{ms === null ? 'running' : duration(ms)}</span>
      <span className="diff-mark">
        <StatusMark status={row.status} bare />
      </span>
      <span className="duration-track" aria-hidden="true">
        <span
          className={`bar-${row.status}`}
          style={{ width: `${longest > 0 ? ((ms ?? 0) / longest) * 100 : 0}%` }}
        />
      </span>
    </span>
  )
}

/** +12 ms, −3 ms; nothing where they are equal. */
function signed(ms: number | null): string {
  if (ms === null || Math.abs(ms) < 0.001) return ''
  return `${ms > 0 ? '+' : '−'}${duration(Math.abs(ms))}`
}
