// Why edges of a node are missing, in its panel; fetched when it is opened: its traces are read for that.

import { useId, useState, type ReactNode } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { MissingEdges } from '../api/types'
import { errorWords } from '../components/Banner'
import { CopyButton } from '../components/CopyButton'
import { slowWords } from '../components/Loading'
import { count } from '../model/format'
import { useLiveQuery } from './useLiveQuery'
import '../styles/missing.css'

interface Props {
  id: string
  window: TimeWindow
  /** The map shows that an edge is missing. */
  open: boolean
  traceLink(trace: string, words: ReactNode): ReactNode
  onSelect(id: string): void
}

type Missing = MissingEdges['causes'][number]
type End = NonNullable<Missing['caller']>

const TITLES: Record<Missing['cause'], string> = {
  no_exit_span: 'No exit span',
  header_not_passed: 'Header not passed on',
  parent_missing: 'Parent has not come',
  not_sampled: 'Not sampled',
  clock_skew: 'Clocks differ',
  other_account: 'Reports elsewhere',
  platform_record_missing: 'No record of the platform',
  still_running: 'Still running',
}
const SDK_KEY = 'raymap.sdk'

export default function NodeMissing({ id, window, open, traceLink, onSelect }: Props) {
  const [requested, setRequested] = useState<TimeWindow | null>(open ? window : null)
  const { data, error, slow } = useLiveQuery<MissingEdges>(requested && addresses.missing(requested, id), {
    key: `missing ${id} ${requested?.to}`,
  })
  return (
    <details
      className="missing"
      open={open}
      onToggle={(event) => setRequested(event.currentTarget.open ? (requested ?? window) : null)}
    >
      <summary>
        <h3>Why is an edge missing?</h3>
      </summary>
      {!data && !error && (
        <p className="mute" role="status">
          {slow === null ? 'Reading traces…' : slowWords(slow)}
        </p>
      )}
      {error && <p role="status">Could not be read: {errorWords(error)}.</p>}
      {data && data.causes.length === 0 && <p className="mute">No cause was found. {judged(data)}</p>}
      {data && data.causes.length > 0 && (
        <>
          <ul>
            {data.causes.map((each) => (
              <li key={`${each.cause} ${each.caller?.id} ${each.callee?.id} ${each.called}`}>
                <Cause cause={each} own={id} traceLink={traceLink} onSelect={onSelect} />
              </li>
            ))}
          </ul>
          <p className="mute">{judged(data)}</p>
        </>
      )}
    </details>
  )
}

function judged({ traces, around }: MissingEdges): string {
  return `Read: ${count(traces)} traces of it and of what it calls, ${count(around)} of any service.`
}

function Cause({
  cause,
  own,
  traceLink,
  onSelect,
}: { cause: Missing; own: string } & Omit<Props, 'id' | 'window' | 'open'>) {
  const { caller, callee, called, units, of } = cause
  const name = (end: End | null, otherwise: string) =>
    end && end.id !== own ? (
      <button type="button" className="link" title={end.type} onClick={() => onSelect(end.id)}>
        {end.name}
      </button>
    ) : (
      (end?.name ?? otherwise)
    )
  return (
    <>
      <h4>
        {TITLES[cause.cause]}
        <span className="numeric" title="Calls, or requests, that show it">
          {count(units)} of {count(of)}
        </span>
      </h4>
      <p className="missing-ends">
        {name(caller, '?')} <span aria-label="to">⇢</span> {name(callee, called)}
        <span className="missing-traces">
          {traceLink(cause.trace_id, 'Example')}
          {cause.other_trace_id && traceLink(cause.other_trace_id, 'Other end')}
        </span>
      </p>
      <p className="mute">{cause.text}.</p>
      <Mending cause={cause} />
    </>
  )
}

function Mending({ cause: { sdk, mending } }: { cause: Missing }) {
  const label = useId()
  const remembered = localStorage.getItem(SDK_KEY)
  const [chosen, setChosen] = useState(sdk || remembered)
  const shown = mending.find((each) => each.sdk === chosen) ?? mending[0]
  if (!shown) return null
  return (
    <div className="mending">
      <div className="mending-head">
        {mending.length === 1 ? (
          <span className="mute">What mends it</span>
        ) : (
          <>
            <label htmlFor={label} className="mute">
              What mends it in
            </label>
            <select
              id={label}
              value={shown.sdk}
              onChange={(event) => {
                localStorage.setItem(SDK_KEY, event.target.value)
                setChosen(event.target.value)
              }}
            >
              {mending.map((each) => (
                <option key={each.sdk} value={each.sdk}>
                  {each.name}
                </option>
              ))}
            </select>
          </>
        )}
        <CopyButton text={shown.lines} label="Copy the lines" />
      </div>
      <pre>
        <code>{shown.lines}</code>
      </pre>
      {shown.source.startsWith('https:') && (
        <a href={shown.source} target="_blank" rel="noreferrer">
          Documentation
        </a>
      )}
    </div>
  )
}
