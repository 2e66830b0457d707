// A trace beside another one: by default a typical one of the same request, which the server chooses.

import { useMemo, useState, type FormEvent } from 'react'
import { addresses } from '../api/client'
import type { Trace, TypicalTrace } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { DiffTable } from '../components/DiffTable'
import { Loading } from '../components/Loading'
import { count, dateTime, duration } from '../model/format'
import { normalTraceId } from '../model/traceId'
import { CHANGE_WORDS, countChanges, diffTraces, onlyDifferences } from '../model/traceDiff'
import { carried, href } from '../model/url'
import { Link, setParams, useAddress } from './router'
import { useLiveQuery } from './useLiveQuery'

export function TraceComparison({ trace }: { trace: Trace }) {
  const { params } = useAddress()
  const given = params.get('with')
  const typical = useLiveQuery<TypicalTrace>(given ? null : addresses.typical(trace.id), {
    key: `typical ${trace.id}`,
  })
  const id = given ?? typical.data?.trace?.id ?? null
  const other = useLiveQuery<Trace>(id && addresses.trace(id), { key: `trace ${id ?? 'none'}` })
  const { error, slow, reload } = !given && !typical.data ? typical : other
  if (!given && typical.data?.trace === null) return <NothingAlike />
  const refused = error && (error.status === 404 || error.status === 400)
  return (
    <div className="comparison" data-scroller="true">
      {refused && (
        <p className="comparison-note" role="alert">
          {error.message}. <AnotherTrace />
        </p>
      )}
      {error && !refused && (
        <FailureBanner error={error} what="Could not load the other trace" onRetry={reload} />
      )}
      {!error && !other.data && <Loading what="comparison" slow={slow} />}
      {other.data && <Compared trace={trace} other={other.data} typical={given ? null : typical.data} />}
    </div>
  )
}

function NothingAlike() {
  return (
    <div className="comparison">
      <p className="comparison-note" role="status">
        No trace to compare with: no other request like this one went well within three hours of it.{' '}
        <AnotherTrace />
      </p>
    </div>
  )
}

interface ComparedProps {
  trace: Trace
  other: Trace
  typical: TypicalTrace | null
}

function Compared({ trace, other, typical }: ComparedProps) {
  const { params } = useAddress()
  const [only, setOnly] = useState(false)
  const rows = useMemo(() => diffTraces(trace.rows, other.rows), [trace, other])
  const changes = useMemo(() => countChanges(rows), [rows])
  const otherHref = (seg: string | null) => href(`/traces/${other.id}`, { ...carried(params), seg })
  return (
    <>
      <div className="comparison-head">
        <p>
          Compared with{' '}
          <Link className="mono" href={otherHref(null)}>
            {other.id}
          </Link>{' '}
          of {dateTime(other.start)}
          {typical && `, ${typicalWords(typical)}`}.{' '}
          {typical ? (
            <AnotherTrace />
          ) : (
            <button type="button" className="link" onClick={() => setParams({ with: null })}>
              Compare with a typical one
            </button>
          )}
        </p>
        <p className="changes" role="status">
          {changes.length === 0 && 'No difference.'}
          {changes.map(([change, found]) => (
            <span key={change} className={`change-${change}`}>
              {count(found)} {CHANGE_WORDS[change]}
            </span>
          ))}
          <label className="check">
            <input type="checkbox" checked={only} onChange={(event) => setOnly(event.target.checked)} />
            Only differences
          </label>
        </p>
      </div>
      <DiffTable
        rows={only ? onlyDifferences(rows) : rows}
        otherLink={(seg, words) => (
          <Link href={otherHref(seg)} title="Show it in the other trace">
            {words}
          </Link>
        )}
        onRow={(seg) => setParams({ seg, tab: null, with: null })}
      />
    </>
  )
}

function typicalWords({ compared, median_ms: median }: TypicalTrace): string {
  if (compared === 1) return 'the only other request like it that went well'
  return `typical of ${count(compared)} requests like it that went well (median ${duration(median)})`
}

const focused = (field: HTMLInputElement | null) => field?.focus()

/** A field for the id of a trace of one's own choice. */
function AnotherTrace() {
  const [open, setOpen] = useState(false)
  const [text, setText] = useState('')
  const [refused, setRefused] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const id = normalTraceId(text)
    setRefused(id === null)
    if (id) setParams({ with: id })
  }
  if (!open) {
    return (
      <button type="button" className="link" onClick={() => setOpen(true)}>
        Compare with another
      </button>
    )
  }
  return (
    <form className="another-trace" onSubmit={submit}>
      <input
        className="mono"
        ref={focused}
        aria-label="Id of the trace to compare with"
        aria-invalid={refused}
        placeholder="Trace id"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setRefused(false)
        }}
      />
      <button type="submit" className="button">
        Compare
      </button>
      {refused && (
        <span className="field-error" role="alert">
          Not a trace id.
        </span>
      )}
    </form>
  )
}
