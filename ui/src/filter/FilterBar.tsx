// One filter for the map, the list and the panels. The expression that is applied is in the address.

import { lazy, Suspense, useCallback, useEffect, useRef, useState, type ComponentType } from 'react'
import { flushSync } from 'react-dom'
import { accept, addresses, ApiError, fetchJson, type TimeWindow } from '../api/client'
import type { Completions } from '../api/types'
import { Icon } from '../components/Icon'
import { Popover } from '../components/Popover'
import type { EditorProps, FilterProblem } from './FilterEditor'
import { FilterField } from './FilterField'
import { isFreeText, textSearch } from './freeText'
import { rememberFilter } from './recent'

const GroupChoices = lazy(() => import('./GroupChoices'))
/** Larger than the rest of the page, and not needed before someone writes. */
let Loaded: ComponentType<EditorProps> | null = null

/** Null when it does not come: the plain field still does. */
async function loadEditor(): Promise<ComponentType<EditorProps> | null> {
  return (Loaded ??= await import('./FilterEditor').then(
    (part) => part.default,
    () => null,
  ))
}

interface Props {
  /** The expression in the address. */
  filter: string
  window: TimeWindow
  /** What the server says of the expression in the address. */
  error: ApiError | null
  onFilter(text: string): void
  /** A field of a form: what is typed counts without being applied, and Enter submits nothing else. */
  isField?: boolean
  onText?(text: string): void
}

export function FilterBar({ filter, window, error, onFilter, isField = false, onText }: Props) {
  const [text, setText] = useState(filter)
  const [problem, setProblem] = useState<FilterProblem | null>(null)
  // What is applied from here is written already, and what is typed after it is ahead of the address.
  const applied = useRef(filter)
  useEffect(() => {
    if (applied.current !== filter) setText(filter)
    applied.current = filter
    setProblem(null)
  }, [filter])
  const apply = (next: string) => {
    applied.current = next
    onFilter(next)
  }
  const [Editor, setEditor] = useState(() => Loaded)
  const field = useRef<HTMLTextAreaElement>(null)
  const selection = useRef<[number, number] | null>(null)
  const edit = useCallback(async () => {
    const found = await loadEditor()
    const { current } = field
    const isWriting = current && current === document.activeElement
    selection.current = isWriting ? [current.selectionStart, current.selectionEnd] : null
    // At once: a key between would move the selection.
    flushSync(() => setEditor(() => found))
  }, [])
  const shown = problem ?? (text === filter ? problemOf(error) : null)
  const isNew = text.trim() !== filter

  const isWrong = shown !== null
  useEffect(() => {
    if (isWrong) void edit() // it underlines the place
  }, [isWrong, edit])

  const latestRun = useRef(0)
  /** Applies an expression; a text that is none is searched for. */
  const run = async (expression: string): Promise<void> => {
    const next = expression.trim()
    const mine = ++latestRun.current
    const found = next ? await check(next) : null
    if (mine !== latestRun.current) return
    if (found && !isField && isFreeText(next)) return search(expression)
    setProblem(found)
    if (found) return
    if (!isField) rememberFilter(next)
    apply(next)
  }
  const search = (words: string) => {
    const next = textSearch(words)
    setText((now) => (now === words ? next : now))
    return run(next)
  }
  const load = async (name: string, prefix: string) => {
    const reply = await fetchJson<Completions>(addresses.completions(window, name, prefix)).catch(() => null)
    return reply?.completions ?? []
  }
  const write = (next: string) => {
    setText(next)
    setProblem(null)
    onText?.(next)
  }
  return (
    <div
      className="filter-bar"
      role={isField ? undefined : 'search'}
      aria-label={isField ? undefined : 'Filter'}
    >
      <Icon name="filter" size={14} />
      {Editor ? (
        <Editor
          value={text}
          selection={selection.current}
          isNew={isNew}
          problem={shown}
          loadValues={load}
          onChange={write}
          onRun={(expression) => void run(expression)}
        />
      ) : (
        <FilterField
          field={field}
          value={text}
          onChange={write}
          onRun={() => void run(text)}
          onEdit={() => void edit()}
        />
      )}
      {isNew && !isField && (
        <button type="button" className="button small primary" onClick={() => void run(text)}>
          Apply
        </button>
      )}
      {filter && !isField && (
        <button
          type="button"
          className="icon-button small"
          aria-label="Remove the filter"
          title="Remove the filter"
          onClick={() => (setText(''), void run(''))}
        >
          <Icon name="close" size={12} />
        </button>
      )}
      {!isField && (
        <Popover label="Groups" className="button small" button="Groups">
          {(close) => (
            <Suspense fallback={<p className="group-choices">Loading groups…</p>}>
              <GroupChoices
                filter={text}
                onChoose={(next) => {
                  close()
                  setText(next)
                  void run(next)
                }}
              />
            </Suspense>
          )}
        </Popover>
      )}
      {shown && (
        <div className="filter-problem" role="alert">
          {shown.message}
          {isFreeText(text) && (
            <button type="button" className="link" onClick={() => void search(text)}>
              Search for this text in URLs, names, users and exceptions
            </button>
          )}
        </div>
      )}
    </div>
  )
}

export function isFilterError(error: ApiError | null): boolean {
  return error?.code === 'InvalidFilter'
}

function problemOf(error: ApiError | null): FilterProblem | null {
  if (!error || !isFilterError(error)) return null
  return { message: error.message.replace(/^filter: /, ''), position: error.position ?? 0 }
}

/** What is wrong with an expression; null when nothing is, or when the server does not answer. */
async function check(expression: string): Promise<FilterProblem | null> {
  try {
    await accept(addresses.checkFilter(expression))
    return null
  } catch (error) {
    return error instanceof ApiError ? problemOf(error) : null
  }
}
