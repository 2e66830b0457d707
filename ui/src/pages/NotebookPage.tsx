// One notebook: its entries in order of time, words to add, and the export.

import { useState, type FormEvent } from 'react'
import {
  addEntry,
  notebookAddresses,
  replaceNotebook,
  type KnownEntry,
  type Notebook,
} from '../api/notebooks'
import { errorWords, FailureBanner } from '../components/Banner'
import { Loading } from '../components/Loading'
import { useSession } from '../components/useSession'
import { count } from '../model/format'
import { edited, known, MOST_TITLE, MOST_WORDS, savedWords, without } from '../model/notebook'
import { savesViews } from '../model/views'
import { NotFound } from './NotFound'
import { NotebookEntry } from './NotebookEntry'
import { NotebookExport } from './NotebookExport'
import { Link } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import { useTitle } from './useTitle'
import '../styles/forms.css'
import '../styles/notebook.css'

export function NotebookPage({ id }: { id: string }) {
  const { data, error, slow, reload } = useLiveQuery<Notebook>(notebookAddresses.one(id), {
    key: `notebook ${id}`,
  })
  if (error?.status === 404) return <NotFound what="this notebook" why={`${error.message}.`} />
  return (
    <main className="settings-page notebook" tabIndex={-1} aria-label="Notebook">
      {error && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : 'Could not load the notebook'}
          onRetry={reload}
        />
      )}
      {data ? <Loaded book={data} onReload={reload} /> : !error && <Loading what="notebook" slow={slow} />}
    </main>
  )
}

function Loaded({ book, onReload }: { book: Notebook; onReload(): void }) {
  const { session } = useSession()
  const mayEdit = savesViews(session)
  const change = useChange()
  const [removed, setRemoved] = useState<KnownEntry | null>(null)
  const [said, setSaid] = useState('')
  useTitle(book.title)
  // Also of a change that was refused: others have been faster.
  const run = async (work: () => Promise<unknown>, words: string) => {
    setSaid('')
    setRemoved(null)
    const done = await change.run(work)
    onReload()
    if (done) setSaid(words)
    return done
  }
  const save = (entries: readonly KnownEntry[], words: string, title = book.title) =>
    run(() => replaceNotebook(book, title, entries), words)
  const remove = async (id: string) => {
    const [entry] = known(book.entries.filter((one) => one.id === id))
    if (entry && (await save(without(book.entries, id), 'Entry deleted.'))) setRemoved(entry)
  }
  return (
    <>
      <nav className="trace-ways" aria-label="From this notebook">
        <Link href="/notebooks">Notebooks</Link>
      </nav>
      <div className="settings-head">
        <Title
          title={book.title}
          mayEdit={mayEdit}
          busy={change.busy}
          onSave={(title) => save(known(book.entries), 'Title saved.', title)}
        />
        <NotebookExport book={book} />
      </div>
      <p className="mute notebook-saved">
        {count(book.entries.length)} {book.entries.length === 1 ? 'entry' : 'entries'} · {savedWords(book)}
      </p>
      <div className="notebook-said">
        <span role="status">{said}</span>
        {removed && (
          <button
            type="button"
            className="button small"
            onClick={() => void save([...known(book.entries), removed], 'Entry restored.')}
          >
            Undo
          </button>
        )}
      </div>
      {change.error && (
        <p className="field-error" role="alert">
          {errorWords(change.error)}.
          {change.error.status === 409 && ' Nothing was saved; the notebook is up to date now.'}
        </p>
      )}
      {book.entries.length === 0 && (
        <p className="settings-empty">
          Nothing yet. <em>Share</em>, over the map and on a trace, and the sign at the end of a problem’s
          line add what they show.
        </p>
      )}
      <ol className="notebook-entries" aria-label="Entries">
        {book.entries.map((entry) => (
          <NotebookEntry
            key={entry.id}
            entry={entry}
            mayEdit={mayEdit}
            busy={change.busy}
            onSave={(next) => save(edited(book.entries, next), 'Entry saved.')}
            onDelete={() => void remove(entry.id)}
          />
        ))}
      </ol>
      {mayEdit && book.entries.length < book.most && (
        <NewWords
          busy={change.busy}
          onAdd={(text) => run(() => addEntry(book.id, { text }), 'Words added.')}
        />
      )}
    </>
  )
}

interface TitleProps {
  title: string
  mayEdit: boolean
  busy: boolean
  onSave(title: string): Promise<boolean>
}

function Title({ title, mayEdit, busy, onSave }: TitleProps) {
  const [text, setText] = useState<string | null>(null)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (text?.trim() === title || (await onSave(text?.trim() ?? ''))) setText(null)
  }
  if (text === null) {
    return (
      <div className="notebook-title">
        <h1>{title}</h1>
        {mayEdit && (
          <button
            type="button"
            className="link"
            aria-label="Rename the notebook"
            onClick={() => setText(title)}
          >
            Rename
          </button>
        )}
      </div>
    )
  }
  return (
    <form className="notebook-title" onSubmit={submit}>
      <h1 className="visually-hidden">{title}</h1>
      <input
        aria-label="Title"
        ref={focused}
        required
        maxLength={MOST_TITLE}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={busy}>
        Save
      </button>
      <button type="button" className="button" onClick={() => setText(null)}>
        Cancel
      </button>
    </form>
  )
}

function NewWords({ busy, onAdd }: { busy: boolean; onAdd(text: string): Promise<boolean> }) {
  const [text, setText] = useState('')
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (await onAdd(text)) setText('')
  }
  return (
    <form className="notebook-words" onSubmit={submit}>
      <label htmlFor="notebook-words">Words, as of now</label>
      <textarea
        id="notebook-words"
        rows={3}
        required
        maxLength={MOST_WORDS}
        placeholder="What was seen, tried and decided; Markdown"
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button primary" disabled={busy}>
        Add words
      </button>
    </form>
  )
}

const focused = (field: HTMLInputElement | null) => field?.focus()
