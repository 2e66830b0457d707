// Head of a trace: request, start, duration, status, and where it failed first.

import { useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Status, Trace, TraceRow } from '../api/types'
import { quoted } from '../filter/quoted'
import { linksOf, type LinkInfo } from '../model/document'
import { count, dateTime, duration } from '../model/format'
import { shownCode, statusWord } from '../model/health'
import { isShared } from '../model/share'
import { failuresInside } from '../model/timeline'
import { CopyButton } from './CopyButton'
import { PinButton } from './PinButton'
import { StatusMark } from './StatusMark'
import { ValueLinks, type TermLink } from './ValueLinks'

interface Props {
  trace: Trace
  /** A link to a segment of another trace. */
  traceLink(trace: string, segment: string, words: ReactNode): ReactNode
  onRow(id: string): void
  firstFault: TraceRow | null
  onFirstFault(id: string): void
  onReload(): void
  share: ReactNode
  /** Absent where there is no list to go to. */
  termLink: TermLink | undefined
}

export function traceTitle({ method, url, entry }: Trace): string {
  return [method, url].filter(Boolean).join(' ') || entry?.name || 'Trace'
}

export function TraceHead({
  trace,
  traceLink,
  onRow,
  firstFault,
  onFirstFault,
  onReload,
  share,
  termLink,
}: Props) {
  const { segments } = trace
  const inside = failuresInside(trace.rows, trace.status)
  const [pin, setPin] = useState(trace.pin)
  useEffect(() => setPin(trace.pin), [trace.pin])
  return (
    <div className="trace-head">
      <div className="trace-title">
        <h1>{traceTitle(trace)}</h1>
        <span className="trace-id">
          <code>{trace.id}</code>
          <CopyButton text={trace.id} label="Copy the trace id" />
        </span>
        {!isShared() && <PinButton trace={trace.id} pin={pin} onPin={setPin} />}
        {share}
      </div>
      <dl className="trace-facts">
        <Fact label="Status">
          <StatusMark status={trace.status} />
          <span className="mute">{shownCode(trace.status, trace.code)}</span>
        </Fact>
        {inside.length > 0 && (
          <Fact label="Inside">
            {inside.map(([status, found]) => (
              <span key={status} className={`inside status-${status}`}>
                <StatusMark status={status} bare /> {insideWords(status, found)}
              </span>
            ))}
          </Fact>
        )}
        <Fact label="Duration">
          <strong>{duration(trace.duration_ms)}</strong>
        </Fact>
        {trace.response_ms !== null && <Fact label="Response">{duration(trace.response_ms)}</Fact>}
        <Fact label="Start">
          <span title={new Date(trace.start * 1000).toISOString()}>{dateTime(trace.start)}</span>
        </Fact>
        {trace.entry && <Fact label="Entry">{trace.entry.name}</Fact>}
        {trace.user && (
          <Fact label="User">
            {trace.user}
            {termLink && <ValueLinks term={`user = ${quoted(trace.user)}`} termLink={termLink} />}
          </Fact>
        )}
        <Fact label="Segments">{count(segments)}</Fact>
        {pin && (
          <Fact label="Retention">
            <span title={`Pinned ${dateTime(pin.at)}`}>pinned</span>
            {pin.note && (
              <span className="pin-note" title={pin.note}>
                {pin.note}
              </span>
            )}
          </Fact>
        )}
        {trace.partial && (
          <Fact label="Complete">
            <span className="partial">partial</span>
            <button type="button" className="link" onClick={onReload}>
              Look again
            </button>
          </Fact>
        )}
        {firstFault && (
          <Fact label={`First ${firstFault.status}`}>
            <button type="button" className="link" onClick={() => onFirstFault(firstFault.id)}>
              {firstFault.name}
              {firstFault.exception && ` · ${firstFault.exception}`}
            </button>
          </Fact>
        )}
        <Linked trace={trace} traceLink={traceLink} />
      </dl>
      <ClockNote trace={trace} onRow={onRow} />
    </div>
  )
}

const MOST_LINKS = 3

/** The traces that any segment names: senders of messages, and what a batch was made of. */
function Linked({ trace, traceLink }: Pick<Props, 'trace' | 'traceLink'>) {
  const links = useMemo(() => linkedTraces(trace), [trace])
  if (links.length === 0) return null
  return (
    <Fact label={links.length === 1 ? 'Linked trace' : `Linked traces (${count(links.length)})`}>
      {links.slice(0, MOST_LINKS).map(({ trace: id, segment }) => (
        <span key={id} title={id}>
          {traceLink(id, segment, `…${id.slice(-8)}`)}
        </span>
      ))}
      {links.length > MOST_LINKS && <span className="mute">and more in the segments</span>}
    </Fact>
  )
}

function linkedTraces({ id, documents }: Trace): LinkInfo[] {
  const found = new Map<string, LinkInfo>()
  for (const link of Object.values(documents).flatMap(linksOf)) {
    if (link.trace !== id && !found.has(link.trace)) found.set(link.trace, link)
  }
  return [...found.values()]
}

/** Where clocks differ, bars begin before what called them, or after it has ended. */
function ClockNote({ trace, onRow }: Pick<Props, 'trace' | 'onRow'>) {
  const [worst, ...others] = trace.clocks
  if (!worst) return null
  const isBehind = worst.ahead_ms < 0
  return (
    <p className="clock-note" role="note">
      Clocks differ:{' '}
      <button type="button" className="link" onClick={() => onRow(worst.row)}>
        {worst.service}
      </button>{' '}
      begins {duration(Math.abs(worst.ahead_ms))}{' '}
      {isBehind ? 'before it is called' : 'after its call has ended'}, so its clock is{' '}
      {isBehind ? 'behind' : 'ahead'} by that at least
      {others.length > 0 && ` (${count(others.length)} more)`}. Times are shown as reported.
    </p>
  )
}

/** 5 faults, 1 error. */
function insideWords(status: Status, found: number): string {
  return `${count(found)} ${statusWord(status).toLowerCase()}${found === 1 ? '' : 's'}`
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}
