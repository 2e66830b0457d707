// What is wrong, above the map: the worst problem in a line whose place is reserved, the others on request, so that
// nothing moves by itself.

import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { addresses, fetchJson, send } from '../api/client'
import type { Problem, ProblemList } from '../api/types'
import { errorWords } from '../components/Banner'
import { Popover } from '../components/Popover'
import {
  behindWords,
  changeWords,
  glyph,
  isFailing,
  lastWords,
  noneWords,
  nodesOf,
  numbers,
  place,
  reach,
  sparkline,
  when,
  windowOf,
} from '../model/problems'
import { rangeParams, type Range } from '../model/range'
import { href, type Changes } from '../model/url'
import { lazily } from './lazily'
import { Link, useAddress } from './router'
import { asApiError } from './useLiveQuery'
import '../styles/problems.css'

const AddToNotebook = lazily('notebooks', () => import('./AddToNotebook').then((part) => part.AddToNotebook))

const EVERY_MS = 60_000
const MOST = 5
const MUTE_MINUTES = 60

interface Props {
  /** The id of the problem that the map shows. */
  chosen: string | null
  /** What links keep of the address. */
  carried: Changes
  /** With the time that shows it; nulls: it is shown no longer. */
  onChoose(id: string | null, time: Range | null): void
  /** The nodes of the chosen one. */
  onNodes(nodes: ReadonlySet<string> | null): void
}

export function ProblemStrip({ chosen, carried, onChoose, onNodes }: Props) {
  const client = useQueryClient()
  const { data, error } = useQuery({
    queryKey: ['problems'],
    queryFn: ({ signal }) => fetchJson<ProblemList>(addresses.problems(), signal),
    refetchInterval: EVERY_MS,
    retry: false,
  })
  const kiosk = useAddress().params.has('kiosk')
  const [chosenOpen, setOpen] = useState(false)
  const open = kiosk || chosenOpen
  const [refused, setRefused] = useState('')
  const every = data?.problems ?? []
  const active = every.filter(({ state }) => state === 'active')
  const shown = active.filter(({ muted_until }) => muted_until === null)
  const muted = active.filter(({ muted_until }) => muted_until !== null)
  const last = every.find(({ state }) => state === 'closed')
  const lines = open ? [...shown, ...muted].slice(0, MOST) : shown.slice(0, 1)
  const rest = shown.length + muted.length - lines.length
  const one = every.find(({ id }) => id === chosen)
  const behind = data ? behindWords(data) : ''
  const news = useNews(data && shown)

  useEffect(() => onNodes(one ? nodesOf(one) : null), [one, onNodes])

  const choose = (problem: Problem) =>
    problem.id === chosen
      ? onChoose(null, null)
      : onChoose(problem.id, { kind: 'fixed', ...windowOf(problem, Date.now() / 1000) })
  const mute = async (problem: Problem) => {
    setRefused('')
    const minutes = problem.muted_until === null ? MUTE_MINUTES : 0
    await send('POST', addresses.muteProblem(problem.id), { minutes }).catch((failure: Error) =>
      setRefused(`Not muted: ${errorWords(asApiError(failure))}.`),
    )
    await client.invalidateQueries({ queryKey: ['problems'] })
  }

  return (
    <section className="problems" aria-label="Problems">
      {lines.length > 0 ? (
        <ul>
          {lines.map((problem) => (
            <Line
              key={problem.id}
              problem={problem}
              chosen={problem.id === chosen}
              carried={carried}
              onChoose={() => choose(problem)}
              onMute={() => void mute(problem)}
            />
          ))}
        </ul>
      ) : (
        <p className="problems-none">
          {data ? <None known={data} last={last} chosen={chosen} onChoose={choose} /> : noAnswer(error)}
        </p>
      )}
      {behind && (
        <p className="problems-behind" title={behind}>
          {behind}
        </p>
      )}
      {!kiosk && (open || rest > 0) && (
        <button
          type="button"
          className="link problems-more"
          aria-expanded={open}
          onClick={() => setOpen(!open)}
        >
          {open
            ? rest > 0
              ? `${rest} more are not shown · Fewer`
              : 'Fewer'
            : more(shown.length, muted.length)}
        </button>
      )}
      {refused && <p className="problems-refused">{refused}</p>}
      <p className="visually-hidden" role="status">
        {refused || [news, behind].filter(Boolean).join('. ')}
      </p>
    </section>
  )
}

function noAnswer(error: Error | null): string {
  return error ? `Problems are not known: ${errorWords(asApiError(error))}.` : ' '
}

function more(shown: number, muted: number): string {
  const words = [shown > 1 && `${shown - 1} more`, muted > 0 && `${muted} muted`]
  return words.filter(Boolean).join(', ')
}

interface NoneProps {
  known: ProblemList
  last: Problem | undefined
  chosen: string | null
  onChoose(problem: Problem): void
}

function None({ known, last, chosen, onChoose }: NoneProps) {
  return (
    <>
      {noneWords(known)}
      {last && (
        <>
          ;{' '}
          <button
            type="button"
            className="link"
            aria-pressed={last.id === chosen}
            title={last.text}
            onClick={() => onChoose(last)}
          >
            {lastWords(last)}
          </button>{' '}
          <span className="problem-reach">({place(last)})</span>
        </>
      )}
    </>
  )
}

interface LineProps {
  problem: Problem
  chosen: boolean
  carried: Changes
  onChoose(): void
  onMute(): void
}

function Line({ problem, chosen, carried, onChoose, onMute }: LineProps) {
  const { exception, muted_until: muted } = problem
  const kind = isFailing(problem) ? problem.measure : 'other'
  const traces = {
    ...carried,
    ...rangeParams({ kind: 'fixed', ...windowOf(problem, problem.updated) }),
    node: problem.origin.id,
    status: isFailing(problem) ? problem.measure : null,
  }
  return (
    <li className={`problem is-${kind}${muted === null ? '' : ' is-muted'}`}>
      <button
        type="button"
        className="problem-line"
        aria-pressed={chosen}
        title={`${problem.text}\nShow it on the map`}
        onClick={onChoose}
      >
        <span className="problem-glyph" aria-hidden="true">
          {glyph(problem)}
        </span>
        <strong>{place(problem)}</strong>
        <span className="problem-numbers">{numbers(problem)}</span>
        <span className="mute">{when(problem)}</span>
        <span className="problem-reach">{reach(problem)}</span>
        <span className="problem-change">{changeWords(problem)}</span>
      </button>
      {exception && (
        <Link
          className="problem-exception"
          href={href('/traces', traces)}
          title={`${exception.name} in ${exception.traces} of ${exception.read} failing traces`}
        >
          {exception.new && 'new '}
          {exception.name}
        </Link>
      )}
      <Sparkline problem={problem} />
      <button
        type="button"
        className="icon-button problem-mute"
        aria-label={muted === null ? `Mute ${place(problem)} for an hour` : `Show ${place(problem)} again`}
        title={muted === null ? 'Mute for an hour' : 'Muted: show it again'}
        aria-pressed={muted !== null}
        onClick={onMute}
      >
        <MuteIcon muted={muted !== null} />
      </button>
      <Popover
        className="icon-button problem-note"
        label={`Add ${place(problem)} to a notebook`}
        button={<NotebookIcon />}
      >
        {() => <AddToNotebook subject={{ problem: problem.id }} />}
      </Popover>
    </li>
  )
}

/** A bell, struck out where a click mutes. */
function MuteIcon({ muted }: { muted: boolean }) {
  return (
    <svg className="icon" width={16} height={16} viewBox="0 0 16 16" aria-hidden="true">
      <path d="M8 2a4 4 0 0 1 4 4v3l1.2 2.2H2.8L4 9V6a4 4 0 0 1 4-4ZM6.6 13.4a1.5 1.5 0 0 0 2.8 0" />
      {!muted && <path d="M2 2l12 12" />}
    </svg>
  )
}

function NotebookIcon() {
  return (
    <svg className="icon" width={16} height={16} viewBox="0 0 16 16" aria-hidden="true">
      <path d="M4 2.5h8.5v11H4ZM2.5 5H5M2.5 8H5M2.5 11H5M7.5 6H10M7.5 9H10" />
    </svg>
  )
}

const WIDTH = 96
const HEIGHT = 18

function Sparkline({ problem }: { problem: Problem }) {
  const { series, since } = problem
  if (!series) return null
  const length = Math.max(1, series.values.length - 1) * series.step
  const began = ((since - series.start) / length) * WIDTH
  return (
    <svg className="problem-spark" width={WIDTH} height={HEIGHT} aria-hidden="true">
      <path className="began" d={`M${began.toFixed(1)} 0V${HEIGHT}`} />
      {sparkline(problem).map((line) => (
        <polyline
          key={line[0]?.[0]}
          points={line
            .map(([x, y]) => `${(x * WIDTH).toFixed(1)},${(1 + y * (HEIGHT - 2)).toFixed(1)}`)
            .join(' ')}
        />
      ))}
    </svg>
  )
}

/** What has come and gone since the page was opened, for screen readers. */
function useNews(shown: Problem[] | undefined): string {
  const [news, setNews] = useState('')
  const known = useRef<Map<string, Problem> | null>(null)
  useEffect(() => {
    if (!shown) return
    const before = known.current
    known.current = new Map(shown.map((problem) => [problem.id, problem]))
    if (!before) return
    const opened = shown.filter(({ id }) => !before.has(id)).map((each) => `Problem: ${each.text}`)
    const gone = [...before.values()].filter(({ id }) => !known.current?.has(id))
    const words = [...opened, ...gone.map((each) => `Over: ${place(each)}`)]
    if (words.length) setNews(words.join('. '))
  }, [shown])
  return news
}
