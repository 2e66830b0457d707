// Saved views: to open, copy, rename and delete one, and to save what the address says as one.

import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import type { Session } from '../api/client'
import { deleteView, saveView, type SavedView } from '../api/views'
import { errorWords, FailureBanner } from '../components/Banner'
import { CopyButton } from '../components/CopyButton'
import { DeleteButton } from '../components/DeleteButton'
import { Loading } from '../components/Loading'
import { dateTime, span } from '../model/format'
import { parseRange, windowOf } from '../model/range'
import { describe, isFolded, isSame, savesViews, viewOf, type View } from '../model/views'
import { Link, useAddress } from './router'
import { useChange, type Change } from './useChange'
import { asApiError } from './useLiveQuery'
import { useViews, VIEWS } from './useViews'
import '../styles/forms.css'
import '../styles/views.css'

interface Props {
  session: Session | null
  onClose(): void
}

export function ViewsMenu({ session, onClose }: Props) {
  const { path, params } = useAddress()
  const client = useQueryClient()
  const { data, error, refetch } = useViews()
  const change = useChange()
  // Also of a change that was refused: others have been faster.
  const run = async (work: () => Promise<unknown>) => {
    const done = await change.run(work)
    await client.invalidateQueries({ queryKey: VIEWS })
    return done
  }
  const shown = viewOf(path, params, isFolded())
  const mayEdit = savesViews(session)
  return (
    <div className="views">
      <h2>Views</h2>
      {error && (
        <FailureBanner
          error={asApiError(error)}
          what="Could not load the views"
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Loading what="views" slow={null} />}
      {data?.views.length === 0 && (
        <p className="mute">
          None yet. A view is a name for what the address says: page, time, filter and layout, for everyone
          here.
        </p>
      )}
      {data && data.views.length > 0 && (
        <ul aria-label="Views">
          {data.views.map((view) => (
            <Line
              key={view.name}
              view={view}
              isShown={shown !== null && isSame(shown, view)}
              mayEdit={mayEdit}
              busy={change.busy}
              run={run}
              onOpen={onClose}
            />
          ))}
        </ul>
      )}
      {data && mayEdit && shown && (
        <SaveForm shown={shown} views={data.views} busy={change.busy} run={run} onEdit={change.forget} />
      )}
      {mayEdit && !shown && (
        <p className="mute">The map, the traces and comparisons can be saved as views.</p>
      )}
      {session && !mayEdit && <p className="mute">Editors save views.</p>}
      <Link href="/notebooks" onClick={onClose}>
        Notebooks
      </Link>
      {change.error && (
        <p className="field-error" role="alert">
          {errorWords(change.error)}.
          {change.error.status === 409 && ' Nothing was saved; the list is up to date now.'}
        </p>
      )}
    </div>
  )
}

type Run = Change['run']

interface LineProps {
  view: SavedView
  isShown: boolean
  mayEdit: boolean
  busy: boolean
  run: Run
  onOpen(): void
}

function Line({ view, isShown, mayEdit, busy, run, onOpen }: LineProps) {
  const [renamed, setRenamed] = useState<string | null>(null)
  const saved = `${view.name}, saved ${view.by && `by ${view.by} `}${dateTime(view.modified)}`
  const rename = async (event: FormEvent) => {
    event.preventDefault()
    const { page, query } = view
    const name = renamed?.trim() ?? ''
    if (name === view.name || (await run(() => saveView(view, { page, query, name })))) setRenamed(null)
  }
  if (renamed !== null) {
    return (
      <li>
        <form className="views-rename" onSubmit={rename}>
          <input
            aria-label={`New name of ${view.name}`}
            ref={focused}
            required
            maxLength={80}
            value={renamed}
            onChange={(event) => setRenamed(event.target.value)}
          />
          <button type="submit" className="button" disabled={busy}>
            Rename
          </button>
          <button type="button" className="button" onClick={() => setRenamed(null)}>
            Cancel
          </button>
        </form>
      </li>
    )
  }
  return (
    <li>
      <Link href={view.path} aria-current={isShown ? 'true' : undefined} title={saved} onClick={onOpen}>
        {view.name}
      </Link>
      <span className="views-actions">
        <CopyButton text={location.origin + view.path} label={`Copy a link to ${view.name}`} icon="link" />
        {mayEdit && (
          <>
            <button
              type="button"
              className="link"
              aria-label={`Rename ${view.name}`}
              onClick={() => setRenamed(view.name)}
            >
              Rename
            </button>
            <DeleteButton
              what={`the view ${view.name}`}
              onDelete={async () => void (await run(() => deleteView(view)))}
            />
          </>
        )}
      </span>
      <Words of={view} />
    </li>
  )
}

/** What a view shows. */
function Words({ of }: { of: View }) {
  const filter = new URLSearchParams(of.query).get('filter')
  const words = describe(of)
  return (
    <>
      <span className="views-words mute" title={words}>
        {words}
      </span>
      {filter && (
        <code className="views-words" title={filter}>
          {filter}
        </code>
      )}
    </>
  )
}

interface SaveProps {
  shown: View
  views: readonly SavedView[]
  busy: boolean
  run: Run
  onEdit(): void
}

function SaveForm({ shown, views, busy, run, onEdit }: SaveProps) {
  const { path, params } = useAddress()
  const [name, setName] = useState('')
  const [isFixed, setFixed] = useState(false)
  const [opened] = useState(() => Date.now() / 1000)
  const [saved, setSaved] = useState('')
  const range = parseRange(params)
  const window = windowOf(range, opened)
  const old = views.find((one) => one.name === name.trim())
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const view = isFixed ? viewOf(path, params, isFolded(), { kind: 'fixed', ...window }) : shown
    if (!view) return
    const known = { name: name.trim(), revision: old?.revision ?? 0 }
    if (!(await run(() => saveView(known, view)))) return
    setSaved(known.name)
    setName('')
  }
  return (
    <form className="views-save" onSubmit={submit}>
      <label>
        Save what is shown as
        <input
          required
          maxLength={80}
          autoComplete="off"
          value={name}
          onChange={(event) => (setName(event.target.value), setSaved(''), onEdit())}
        />
      </label>
      <button type="submit" className="button primary" disabled={busy}>
        {old ? 'Replace' : 'Save'}
      </button>
      <Words of={shown} />
      {range.kind === 'live' && (
        <label className="check">
          <input type="checkbox" checked={isFixed} onChange={(event) => setFixed(event.target.checked)} />
          <span>
            At this time: <span className="mute">{span(window.from, window.to)}</span>
          </span>
        </label>
      )}
      <p role="status">{saved && `Saved as ${saved}.`}</p>
    </form>
  )
}

const focused = (field: HTMLInputElement | null) => field?.focus()
