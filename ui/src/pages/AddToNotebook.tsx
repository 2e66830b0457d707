// Adds what a page shows to a notebook, with words: to one that is there, or to a new one.

import { useState, type FormEvent } from 'react'
import { addEntry, createNotebook, type Notebook, type Subject } from '../api/notebooks'
import { errorWords } from '../components/Banner'
import { useSession } from '../components/useSession'
import { MOST_TITLE, MOST_WORDS } from '../model/notebook'
import { savesViews } from '../model/views'
import { Link } from './router'
import { useChange } from './useChange'
import { asApiError } from './useLiveQuery'
import { useNotebooks } from './useNotebooks'
import '../styles/addToNotebook.css'

/** Nothing for those who may not write in notebooks. */
export function AddToNotebook({ subject }: { subject: Subject }) {
  const { session } = useSession()
  return savesViews(session) ? <Form subject={subject} /> : null
}

function Form({ subject }: { subject: Subject }) {
  const { data, error } = useNotebooks()
  const [chosen, setChosen] = useState<string | null>(null)
  const [title, setTitle] = useState('')
  const [text, setText] = useState('')
  const [added, setAdded] = useState<Notebook | null>(null)
  const change = useChange()
  const books = data?.notebooks ?? []
  const id = chosen ?? books[0]?.id ?? ''
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const entry = { ...subject, ...(text.trim() && { text }) }
    let book: Notebook | null = null
    const done = await change.run(async () => {
      book = id ? await addEntry(id, entry) : await createNotebook(title.trim(), [entry])
    })
    if (!done) return
    setAdded(book)
    setText('')
  }
  if (error) return <p className="field-error">{`Notebooks: ${errorWords(asApiError(error))}.`}</p>
  if (!data) return null
  return (
    <form className="add-to-notebook" onSubmit={submit}>
      <label>
        Notebook
        <select value={id} onChange={(event) => (setChosen(event.target.value), setAdded(null))}>
          {books.map((book) => (
            <option key={book.id} value={book.id}>
              {book.title}
            </option>
          ))}
          <option value="">New notebook…</option>
        </select>
      </label>
      {!id && (
        <label>
          Title
          <input
            required
            maxLength={MOST_TITLE}
            autoComplete="off"
            value={title}
            onChange={(event) => setTitle(event.target.value)}
          />
        </label>
      )}
      <label>
        Note
        <textarea
          rows={2}
          maxLength={MOST_WORDS}
          placeholder="What is to be seen here"
          value={text}
          onChange={(event) => (setText(event.target.value), setAdded(null))}
        />
      </label>
      <div className="add-to-notebook-end">
        <button type="submit" className="button" disabled={change.busy}>
          {change.busy ? 'Adding…' : 'Add to notebook'}
        </button>
        <span role="status">
          {added && (
            <>
              Added to <Link href={`/notebooks/${added.id}`}>{added.title}</Link>.
            </>
          )}
        </span>
      </div>
      {change.error && (
        <p className="field-error" role="alert">
          {errorWords(change.error)}.
        </p>
      )}
    </form>
  )
}
