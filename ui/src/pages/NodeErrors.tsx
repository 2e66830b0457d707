// What each source says of a function's errors, in its panel; fetched apart and loaded when there is a function.

import type { ReactNode } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { ErrorCount, NodeErrors as Errors } from '../api/types'
import { count } from '../model/format'
import { useLiveQuery } from './useLiveQuery'
import '../styles/nodeErrors.css'

interface Props {
  id: string
  window: TimeWindow
  rangeKey: string
  /** A link to the traces that satisfy a filter. */
  filterLink(filter: string, words: ReactNode): ReactNode
  /** A link to a trace. */
  traceLink(id: string, words: ReactNode): ReactNode
}

const WORDS: Record<ErrorCount['source'], [name: string, what: string]> = {
  'metric stream': ['CloudWatch', 'every error, by its metric stream'],
  'platform records': ['Platform', 'timeouts and crashes, by its records'],
  'log lines': ['Logs', 'handlers that raised, by their runtime'],
  spans: ['Spans', "the function's own, of the newest traces"],
}

export default function NodeErrors({ id, window, rangeKey, filterLink, traceLink }: Props) {
  const { data } = useLiveQuery<Errors>(addresses.nodeErrors(window, id), {
    key: `errors ${id}`,
    variant: rangeKey,
  })
  if (!data || data.counts.length === 0) return null
  const known = data.counts.filter(({ errors }) => errors !== null)
  const absent = data.counts.filter(({ errors }) => errors === null)
  return (
    <section className="node-errors" aria-label="Errors by source">
      <h3>Errors by source</h3>
      {data.problems.map(({ text, traces }) => (
        <p key={text} className="error-problem" role="alert">
          <strong>The sources disagree.</strong> {text}{' '}
          {traces.map((trace, index) => (
            <span key={trace}>
              {index > 0 && ', '}
              {traceLink(trace, `trace ${index + 1}`)}
            </span>
          ))}
        </p>
      ))}
      {known.length > 0 && (
        <table>
          <thead className="visually-hidden">
            <tr>
              <th>Source</th>
              <th>Errors</th>
              <th>Invocations</th>
            </tr>
          </thead>
          <tbody>
            {known.map((one) => (
              <tr key={one.source} className={one.errors ? 'status-fault' : undefined}>
                <th>
                  {WORDS[one.source][0]} <span className="mute">{WORDS[one.source][1]}</span>
                </th>
                <td className="numeric">
                  {one.filter ? filterLink(one.filter, count(one.errors)) : count(one.errors)}
                </td>
                <td className="numeric mute">
                  {one.invocations === null ? '' : `of ${count(one.invocations)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {absent.length > 0 && (
        <details>
          <summary>No source: {absent.map(({ source }) => WORDS[source][0]).join(', ')}</summary>
          {absent.map(({ source, help }) => (
            <p key={source} className="mute">
              {WORDS[source][0]}: {help}
            </p>
          ))}
        </details>
      )}
    </section>
  )
}
