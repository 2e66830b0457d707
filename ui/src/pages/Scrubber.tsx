// The time scrubber under the map: how the last day went, and which part of it the map shows. Drag or click to choose
// another; nothing moves by itself unless "Play" was pressed.

import { useIsFetching } from '@tanstack/react-query'
import { useRef, useState } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { Graph, History } from '../api/types'
import { errorWords } from '../components/Banner'
import { TimeLanes } from '../components/TimeLanes'
import { TimeReadout } from '../components/TimeReadout'
import { groupingOf } from '../model/grouping'
import { DEFAULT_PRESET, parseRange, rangeParams, type Range } from '../model/range'
import { currentScope } from '../model/scope'
import { around, dayAround, dragged, pointAt, shownIn, STEP, windowWords } from '../model/scrubber'
import { edgeEnds } from '../model/url'
import { setParams, useAddress } from './router'
import { useKeys } from './useKeys'
import { useLiveQuery } from './useLiveQuery'
import { usePlay } from './usePlay'
import { rangeKey } from './useTimeWindow'
import { useSteps } from './useSteps'
import '../styles/scrubber.css'

/** Where a browser remembers whether the strip is folded, and how it says so. */
const KEY = 'raymap.time'

interface Props {
  /** What the map requests. */
  window: TimeWindow
  graph: Graph
  /** Empty, or anything: folded. */
  state: string
  onState(state: string): void
  onProblem(id: string, time: Range): void
}

const setRange = (range: Range, replace = false) => setParams(rangeParams(range), { replace })

export function Scrubber(props: Props) {
  const { window: requested, graph, state } = props
  const folded = state !== ''
  const { params } = useAddress()
  const range = parseRange(params)
  const selection = params.get('sel')
  const fold = () => {
    play.stop()
    const next = folded ? '' : '1'
    localStorage.setItem(KEY, next)
    props.onState(next)
  }
  const now = useNow(rangeKey(range), range.kind === 'live')
  const shown = shownIn(range, requested)
  const day = dayAround(shown, now)
  const place = selection && !groupingOf(params) && isCounted(graph, selection) ? selection : ''
  const { data, error, answeredUrl } = useLiveQuery<History>(folded ? null : addresses.history(day, place), {
    key: `history ${place}`,
    variant: range.kind === 'live' ? 'live' : `${Math.floor(day.from / 3600)}`,
  })
  const drawnDay = data && answeredUrl ? within(answeredUrl) : day
  const [pointed, setPointed] = useState<number | null>(null)

  const live = useRef<Range>({ kind: 'live', preset: DEFAULT_PRESET })
  if (range.kind === 'live') live.current = range
  const length = shown.to - shown.from
  const fixed = (window: TimeWindow): Range => ({ kind: 'fixed', ...window })
  const waiting = useIsFetching({ predicate: ({ queryKey }) => String(queryKey[1]).startsWith('map ') })
  const steps = useSteps(shown, range, setRange)
  const play = usePlay({ shown, day, busy: waiting > 0, onWindow: steps.commit })
  const choose = (window: TimeWindow) => {
    play.stop()
    steps.forget()
    setRange(fixed(window))
  }
  const goLive = () => {
    play.stop()
    steps.forget()
    setRange(live.current)
  }

  const slider = useRef<HTMLDivElement>(null)
  useKeys({ t: () => slider.current?.focus() })
  const keys: Record<string, () => void> = {
    ArrowLeft: () => steps.by(-60),
    ArrowRight: () => steps.by(60),
    ArrowDown: () => steps.by(-60),
    ArrowUp: () => steps.by(60),
    PageDown: () => steps.by(-length),
    PageUp: () => steps.by(length),
    Home: () => choose({ from: day.from, to: day.from + length }),
    End: goLive,
  }
  const press = (event: React.KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const action = keys[event.key]
    if (!action) return
    event.preventDefault()
    play.stop()
    if (event.shiftKey && event.key.startsWith('Arrow')) {
      steps.by(/Left|Down/.test(event.key) ? -length : length)
    } else action()
  }

  const current = steps.pending ?? shown
  const point = data && pointed !== null ? pointAt(data, pointed) : null
  return (
    <section className="scrubber" aria-label="Time">
      <div className="scrubber-tools">
        <button
          type="button"
          className="icon-button small"
          aria-expanded={!folded}
          aria-label="Time strip"
          title={folded ? 'Show how the day went' : 'Fold this strip'}
          onClick={fold}
        >
          <Shape path={folded ? 'M3.5 10 8 5.5l4.5 4.5' : 'M3.5 6 8 10.5 12.5 6'} />
        </button>
        {!folded && (
          <button
            type="button"
            className="icon-button small"
            aria-pressed={play.playing}
            aria-label="Play"
            title={play.playing ? 'Stop' : 'Play: a window after the other, up to now'}
            onClick={play.toggle}
          >
            <Shape path={play.playing ? 'M5 3.5v9M11 3.5v9' : 'M4.5 3v10l8-5Z'} />
          </button>
        )}
      </div>
      {folded ? (
        <button type="button" className="link scrubber-name" onClick={fold}>
          Time
        </button>
      ) : (
        <>
          <TimeReadout
            name={place ? nameOf(graph, place) : 'All requests'}
            note={noteOf(params.has('filter'), selection !== null && !place)}
            day={drawnDay}
            history={data}
            point={point}
            onTime={(at) => choose(around(at, length, day, now))}
          />
          <TimeLanes
            history={data}
            day={drawnDay}
            shown={current}
            slider={slider}
            words={windowWords(data, current)}
            failure={error && !data ? `Not known: ${errorWords(error)}.` : ''}
            onKey={press}
            onPoint={setPointed}
            onClick={(at) => choose(around(at, length, day, now))}
            onDrag={(from, to) => choose(dragged(from, to, now))}
            onProblem={(id, from, to) => {
              play.stop()
              props.onProblem(id, { kind: 'fixed', from, to })
            }}
          />
          <button
            type="button"
            className="button scrubber-live"
            disabled={range.kind === 'live'}
            title="Follow the present again"
            onClick={goLive}
          >
            Live
          </button>
        </>
      )}
    </section>
  )
}

const secondsNow = () => Date.now() / 1000

/** The present as of the last change of a key, or some minutes ago at most; a strip that stands still requests nothing. */
function useNow(key: string, moves: boolean): number {
  const [now, setNow] = useState(() => ({ key, seconds: secondsNow() }))
  if (now.key !== key || (moves && secondsNow() - now.seconds >= STEP)) setNow({ key, seconds: secondsNow() })
  return now.seconds
}

function Shape({ path }: { path: string }) {
  return (
    <svg className="icon" width={16} height={16} viewBox="0 0 16 16" aria-hidden="true">
      <path d={path} />
    </svg>
  )
}

/** Whether the map has it: what is only declared has no history. */
function isCounted({ nodes, edges }: Graph, id: string): boolean {
  const ends = edgeEnds(id)
  if (!ends) return nodes.some((node) => node.id === id)
  return edges.some(({ source, target }) => source === ends[0] && target === ends[1])
}

function nameOf({ nodes }: Graph, id: string): string {
  const name = (one: string) => nodes.find((node) => node.id === one)?.name ?? one
  return (edgeEnds(id) ?? [id]).map(name).join(' → ')
}

/** What these numbers leave aside. */
function noteOf(filtered: boolean, chosen: boolean): string {
  const aside = [
    (filtered || Object.keys(currentScope()).length > 0) && 'the filter',
    chosen && 'the choice',
  ].filter(Boolean)
  return aside.length ? `without ${aside.join(' and ')}` : ''
}

function within(url: string): TimeWindow {
  const { searchParams } = new URL(url, location.origin)
  return { from: Number(searchParams.get('from')), to: Number(searchParams.get('to')) }
}
