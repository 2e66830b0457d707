// All notebooks, and the way to a new one.

import { useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { createNotebook, deleteNotebook, type NotebookLine, type Notebook } from '../api/notebooks'
import { errorWords, FailureBanner } from '../components/Banner'
import { DeleteButton } from '../components/DeleteButton'
import { Loading } from '../components/Loading'
import { SettingsTable } from '../components/SettingsTable'
import { useSession } from '../components/useSession'
import { count, dateTime } from '../model/format'
import { MOST_TITLE } from '../model/notebook'
import { savesViews } from '../model/views'
import { go, Link } from './router'
import { useChange } from './useChange'
import { asApiError } from './useLiveQuery'
import { NOTEBOOKS, useNotebooks } from './useNotebooks'
import '../styles/notebook.css'

export function NotebooksPage() {
  const client = useQueryClient()
  const { session } = useSession()
  const { data, error, refetch } = useNotebooks()
  const change = useChange()
  const mayEdit = savesViews(session)
  const remove = async (book: NotebookLine) => {
    await change.run(() => deleteNotebook(book))
    await client.invalidateQueries({ queryKey: NOTEBOOKS })
  }
  return (
    <main className="settings-page" tabIndex={-1} aria-label="Notebooks">
      <div className="settings-head">
        <h1>Notebooks</h1>
      </div>
      <p className="mute settings-intro">
        A notebook is the record of an incident: maps, traces, problems and words in order of their time. What
        it shows is fixed when it is added, so that numbers stay when their traces expire.
      </p>
      {error && (
        <FailureBanner
          error={asApiError(error)}
          what="Could not load the notebooks"
          onRetry={() => void refetch()}
        />
      )}
      {!data && !error && <Loading what="notebooks" slow={null} />}
      {data && mayEdit && <NewNotebook />}
      {change.error && (
        <p className="field-error" role="alert">
          {errorWords(change.error)}.
        </p>
      )}
      {data?.notebooks.length === 0 && (
        <p className="settings-empty">
          No notebooks. <em>Share</em>, over the map and on a trace, and the sign at the end of a problem’s
          line add to one.
        </p>
      )}
      {data && data.notebooks.length > 0 && (
        <SettingsTable
          label="Notebooks"
          columns={['Title', { numeric: 'Entries' }, 'Changed', 'By', { hidden: 'Change' }]}
        >
          {data.notebooks.map((book) => (
            <tr key={book.id}>
              <td className="wrapped">
                <Link href={`/notebooks/${book.id}`}>{book.title}</Link>
              </td>
              <td className="numeric" data-label="entries">
                {count(book.entries)}
              </td>
              <td data-label="changed">{dateTime(book.modified)}</td>
              <td data-label="by">{book.by}</td>
              <td className="actions">
                {mayEdit && (
                  <DeleteButton what={`the notebook ${book.title}`} onDelete={() => remove(book)} />
                )}
              </td>
            </tr>
          ))}
        </SettingsTable>
      )}
    </main>
  )
}

function NewNotebook() {
  const [title, setTitle] = useState('')
  const change = useChange()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    let made: Notebook | null = null
    await change.run(async () => {
      made = await createNotebook(title.trim())
      if (made) go(`/notebooks/${made.id}`)
    })
  }
  return (
    <form className="notebook-new" onSubmit={submit}>
      <input
        aria-label="Title of a new notebook"
        placeholder="Checkout fails, 24 November"
        required
        maxLength={MOST_TITLE}
        autoComplete="off"
        value={title}
        onChange={(event) => (setTitle(event.target.value), change.forget())}
      />
      <button type="submit" className="button primary" disabled={change.busy}>
        New notebook
      </button>
      {change.error && (
        <p className="field-error" role="alert">
          {errorWords(change.error)}.
        </p>
      )}
    </form>
  )
}
