// How many traces an expression that is being written matches, and the newest of them.

import { addresses, type TimeWindow } from '../api/client'
import type { TracePageReply } from '../api/types'
import { isFilterError } from '../filter/FilterBar'
import { errorWords } from '../components/Banner'
import { StatusMark } from '../components/StatusMark'
import { clock, count, duration, span } from '../model/format'
import type { Range } from '../model/range'
import { href } from '../model/url'
import { Link } from './router'
import { useLiveQuery } from './useLiveQuery'
import { useSettled } from './useSettled'

interface Props {
  expression: string
  window: TimeWindow
  range: Range
}

const SHOWN = 5
/** A page of so many is all, or says that there are more. */
const COUNTED = 100
const PAUSE_MS = 400

export function MatchPreview({ expression, window, range }: Props) {
  const settled = useSettled(expression.trim(), PAUSE_MS)
  const url = addresses.matches(window, settled, COUNTED)
  const { data, error, loading } = useLiveQuery<TracePageReply>(url, { key: 'matches', variant: settled })
  const when = range.kind === 'live' ? range.preset.words.toLowerCase() : span(range.from, range.to)
  return (
    <section className="match-preview" aria-label="Matching traces">
      <p role="status" className={loading ? 'mute' : undefined}>
        {error && !isFilterError(error) && `No preview: ${errorWords(error)}.`}
        {isFilterError(error) && (
          <span className="mute">Matches are shown once the expression can be read.</span>
        )}
        {!error && data && matchWords(data, settled, when)}
        {!error && !data && 'Counting matches…'}
      </p>
      {!error && data && data.traces.length > 0 && (
        <ul>
          {data.traces.slice(0, SHOWN).map((trace) => (
            <li key={trace.id}>
              <StatusMark status={trace.status} />
              <Link href={href(`/traces/${trace.id}`, {})}>
                {[trace.method, trace.url].filter(Boolean).join(' ') || trace.entry?.name || trace.id}
              </Link>
              <span className="mute">
                {clock(trace.start)} · {duration(trace.duration_ms)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function matchWords({ traces, next }: TracePageReply, expression: string, when: string): string {
  const found = traces.length
  const words = `${count(found)}${next ? '+' : ''} ${found === 1 ? 'trace' : 'traces'}`
  const match = found === 1 ? 'matches' : 'match'
  return expression
    ? `${words} of the ${when} ${match}${found > SHOWN ? ', the newest:' : '.'}`
    : `Without an expression every trace belongs to the group: ${words} of the ${when}.`
}
