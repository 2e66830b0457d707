// What an entry showed when it was added: facts, and a table or the timeline of a trace.

import type { NotebookFigures as Figures } from '../api/notebooks'
import type { Status } from '../api/types'
import { StatusMark } from '../components/StatusMark'
import { count, dateTime } from '../model/format'
import '../styles/tables.css'

interface Props {
  figures: Figures
  /** Whether the table is shown at once. */
  isOpen: boolean
  /** Epoch seconds. */
  added: number
}

export function NotebookFigures({ figures, isOpen, added }: Props) {
  const { facts, rows, bars, is_empty, left_out } = figures
  return (
    <div className="notebook-figures">
      {facts.length > 0 && (
        <dl>
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      {is_empty && <p className="mute">Nothing was counted.</p>}
      {rows.length > 0 && (
        <details open={isOpen}>
          <summary>Figures of {dateTime(added)}</summary>
          {bars.length > 0 ? <Timeline figures={figures} /> : <Table figures={figures} />}
          {left_out > 0 && <p className="mute">and {count(left_out)} more</p>}
        </details>
      )}
    </div>
  )
}

function Table({ figures: { columns, rows, states } }: { figures: Figures }) {
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls is reached by the keyboard
    <div className="table-scroll" role="region" aria-label="Figures" tabIndex={0}>
      <table className="table settings-table">
        <thead>
          <tr>
            {columns.map((name) => (
              <th key={name}>{name}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={row.join(' ')}>
              {row.map((cell, column) => (
                <td key={columns[column]}>
                  {column === 0 && states[at] && <StatusMark status={states[at] as Status} bare />} {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Timeline({ figures: { rows, states, bars, depths } }: { figures: Figures }) {
  return (
    <ul className="notebook-timeline" aria-label="Timeline">
      {rows.map(([name, status, start, length], at) => {
        const [from, share] = bars[at] ?? [0, 0]
        return (
          <li key={at} title={`${name}: from ${start} on`}>
            <span className="notebook-row" style={{ paddingLeft: `${(depths[at] ?? 0) * 12}px` }}>
              {name}
            </span>
            <span className="notebook-track" aria-hidden="true">
              <span
                className={`notebook-bar is-${states[at]}`}
                style={{ left: `${from * 100}%`, width: `${share * 100}%` }}
              />
            </span>
            <span className="notebook-end">
              {states[at] !== 'ok' && (
                <span className={`notebook-status status-${states[at]}`} title={status}>
                  {status}
                </span>
              )}
              <span className="notebook-length">{length}</span>
            </span>
          </li>
        )
      })}
    </ul>
  )
}
