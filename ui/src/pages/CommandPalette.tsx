// Ctrl+K: services, traces by id, pages, saved views, times. A combobox in a dialog; arrows move, Enter opens.

import {
  useEffect,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type RefObject,
} from 'react'
import { addresses } from '../api/client'
import type { ServiceMatches } from '../api/types'
import { useSession } from '../components/useSession'
import { recentFilters } from '../filter/recent'
import { commandsFor, isBeforeServices } from '../model/palette'
import { parseRange, windowOf } from '../model/range'
import { carried, changed, href } from '../model/url'
import type { Typed } from './KeysAhead'
import { go, useAddress } from './router'
import { useLiveQuery } from './useLiveQuery'
import { useViews } from './useViews'
import '../styles/commandPalette.css'

interface Props {
  /** Typed while this was being loaded. */
  typed: RefObject<Typed>
  onClose(): void
}

export function CommandPalette({ typed, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  const listId = useId()
  const { path, params } = useAddress()
  const [text, setText] = useState(() => typed.current.text)
  const [isEntered, setEntered] = useState(() => typed.current.isEntered)
  /** Null until someone moves: then it is the first, whatever that becomes. */
  const [at, setAt] = useState<number | null>(null)
  // Before the next key.
  useLayoutEffect(() => dialog.current?.showModal(), [])

  const [opened] = useState(() => Date.now() / 1000)
  const window = useMemo(() => windowOf(parseRange(params), opened), [params, opened])
  const url = text.trim() ? addresses.services(window, text.trim()) : null
  const { data, answeredUrl, error } = useLiveQuery<ServiceMatches>(url, { key: 'palette', variant: text })
  const { session } = useSession()
  const { data: saved } = useViews()
  const commands = useMemo(
    () =>
      commandsFor(text, {
        session,
        carried: carried(params),
        here: (range) => href(path, changed(params, { range, from: null, to: null })),
        services: url && data ? data.services.filter(({ kind }) => kind !== 'client').slice(0, 12) : [],
        views: saved?.views ?? [],
        recent: recentFilters(),
      }),
    [text, session, params, path, url, data, saved],
  )
  const active = Math.min(at ?? 0, commands.length - 1)
  const isSearching = url !== null && answeredUrl !== url && !error

  const run = (index: number) => {
    const command = commands[index]
    if (!command) return
    onClose()
    go(command.target)
  }
  const isFirstSure = !isSearching || isBeforeServices(commands[0])
  const enter = useRef(() => {})
  enter.current = () => run(active)
  useEffect(() => {
    if (isEntered && isFirstSure) enter.current()
  }, [isEntered, isFirstSure])
  const press = (event: KeyboardEvent) => {
    const move = (by: number) => setAt((active + by + commands.length) % Math.max(1, commands.length))
    if (event.key === 'ArrowDown') move(1)
    else if (event.key === 'ArrowUp') move(-1)
    else if (event.key === 'Enter' && at === null) setEntered(true)
    else if (event.key === 'Enter') run(active)
    else return
    event.preventDefault()
  }
  return (
    <dialog className="palette" ref={dialog} aria-label="Go to" onClose={onClose}>
      <input
        autoFocus
        role="combobox"
        aria-label="Service, trace id, page, view or time"
        aria-expanded="true"
        aria-controls={listId}
        aria-activedescendant={commands[active] ? `${listId}-${active}` : undefined}
        placeholder="Service, trace id, page, view or time"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setAt(null)
          setEntered(false)
        }}
        onKeyDown={press}
      />
      <div className="palette-list" id={listId} role="listbox" aria-label="Commands">
        {commands.map((command, index) => (
          // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the combobox has the keys
          <div
            key={command.key}
            id={`${listId}-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === active}
            onPointerMove={() => setAt(index)}
            onClick={() => run(index)}
          >
            <span className="palette-words">{command.words}</span>
            <span className="mute">{command.hint}</span>
          </div>
        ))}
      </div>
      {commands.length === 0 && (
        <p className="mute palette-none" role="status">
          {isSearching ? 'Searching…' : 'Nothing matches.'}
        </p>
      )}
    </dialog>
  )
}
