// What the panel of a node or an edge says of two periods: what differs, both figures, traces of both.

import type { ComparedFigures, PeriodComparison } from '../api/types'
import { both } from '../filter/tokens'
import { duration, percent, rate, span } from '../model/format'
import { shares } from '../model/health'
import { changesOf } from '../model/periods'
import { placeOf, type By } from '../model/sides'
import { carried, edgeEnds, href } from '../model/url'
import { Link, setParams, useAddress } from './router'

interface Props {
  id: string
  found: PeriodComparison
}

export default function PeriodNote({ id, found }: Props) {
  const place = [...found.nodes, ...found.edges].find((one) => one.id === id)
  if (!place) return null
  const [now, then] = found.by ? [found.now.side, found.then.side] : ['Now', 'Then']
  return (
    <section className="period-panel" aria-label={found.by ? 'Both sides' : 'Then and now'}>
      <h3>Compared with {found.by ? then : span(found.then.from, found.then.to)}</h3>
      <Changes id={id} found={found} />
      <table className="table">
        <thead>
          <tr>
            <td />
            <th className="numeric">{then}</th>
            <th className="numeric">{now}</th>
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
      <p className="period-traces">
        {place.then && (
          <TracesLink id={id} found={found} period={found.then} own={place.then_id} words={then} />
        )}
        {place.now && <TracesLink id={id} found={found} period={found.now} own={id} words={now} />}
      </p>
    </section>
  )
}

interface LinkProps extends Props {
  period: PeriodComparison['now']
  /** The id of the place in it. */
  own: string | null
  words: string | null
}

function TracesLink({ id, found, period, own, words }: LinkProps) {
  const { params } = useAddress()
  const place = found.by
    ? placeOf(found.by as By, period.side ?? '', id, own)
    : { id, filter: '', group_by: '' }
  if (!place) return null
  const list = carried(params)
  const narrowed = both(list['filter'] ?? '', place.filter)
  const address = href('/traces', {
    ...list,
    range: null,
    from: String(period.from),
    to: String(period.to),
    filter: narrowed || null,
    ...(place.group_by && { group_by: place.group_by }),
    [edgeEnds(id) ? 'edge' : 'node']: place.id,
  })
  return <Link href={address}>Traces {found.by ? `of ${words}` : words?.toLowerCase()}</Link>
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
