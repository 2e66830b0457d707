// What the panel of a node or an edge says of two periods: what differs, both figures, traces of both.

import type { TimeWindow } from '../api/client'
import type { ComparedFigures, PeriodComparison } from '../api/types'
import { duration, percent, rate, span } from '../model/format'
import { shares } from '../model/health'
import { changesOf } from '../model/periods'
import { carried, edgeEnds, href } from '../model/url'
import { Link, setParams, useAddress } from './router'

interface Props {
  id: string
  found: PeriodComparison
}

export default function PeriodNote({ id, found }: Props) {
  const { params } = useAddress()
  const place = [...found.nodes, ...found.edges].find((one) => one.id === id)
  if (!place) return null
  const traces = ({ from, to }: TimeWindow) =>
    href('/traces', {
      ...carried(params),
      range: null,
      from: String(from),
      to: String(to),
      [edgeEnds(id) ? 'edge' : 'node']: id,
    })
  return (
    <section className="period-panel" aria-label="Then and now">
      <h3>Compared with {span(found.then.from, found.then.to)}</h3>
      <Changes id={id} found={found} />
      <table className="table">
        <thead>
          <tr>
            <td />
            <th className="numeric">Then</th>
            <th className="numeric">Now</th>
          </tr>
        </thead>
        <tbody>
          {ROWS.map(([label, valueOf]) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              <td className="numeric">{place.then ? valueOf(place.then) : '–'}</td>
              <td className="numeric">{place.now ? valueOf(place.now) : '–'}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>
        {place.then && <Link href={traces(found.then)}>Traces then</Link>}
        {place.then && place.now && ' · '}
        {place.now && <Link href={traces(found.now)}>Traces now</Link>}
      </p>
    </section>
  )
}

const ROWS: [string, (figures: ComparedFigures) => string][] = [
  ['Rate', ({ requests_per_min: perMinute }) => (perMinute === null ? '–' : rate(perMinute))],
  ['p50', ({ p50_ms: time }) => duration(time)],
  ['p95', ({ p95_ms: time }) => duration(time)],
  ...(['fault', 'throttle', 'error'] as const).map(
    (state): [string, (figures: ComparedFigures) => string] => [
      { fault: 'Fault', throttle: 'Throttle', error: 'Error' }[state],
      (figures) => {
        const parts = shares({ ...figures, unknown: 0 })
        return parts ? percent(parts[state]) : '–'
      },
    ],
  ),
]

function Changes({ id, found }: { id: string; found: PeriodComparison }) {
  const changes = changesOf(found, id)
  const nameOf = (origin: string) => {
    const node = found.nodes.find((one) => one.id === origin)
    const edge = found.edges.find((one) => one.id === origin)
    return node?.name ?? (edge ? `${edge.source_name} → ${edge.target_name}` : origin)
  }
  if (!changes.length) return <p className="mute">No significant difference.</p>
  return (
    <ul className="period-changes">
      {changes.map(({ measure, text, follows }) => (
        <li key={measure}>
          <strong>Δ {text}</strong>
          {follows !== null && (
            <>
              {' '}
              <span className="mute">follows from</span>{' '}
              <button type="button" className="link" onClick={() => setParams({ sel: follows })}>
                {nameOf(follows)}
              </button>
            </>
          )}
        </li>
      ))}
    </ul>
  )
}
