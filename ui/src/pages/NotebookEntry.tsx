// An entry of a notebook: when, what, who, its words as they were written, and what it showed.

import { useState, type FormEvent } from 'react'
import type { KnownEntry, NotebookEntry as Entry } from '../api/notebooks'
import { dateTime } from '../model/format'
import { entryTitle, kindWord, mapQuery, MOST_WORDS, savedWords } from '../model/notebook'
import { inputValue, parseInstant } from '../model/range'
import { MapPicture } from './MapPicture'
import { NotebookFigures } from './NotebookFigures'
import { Link } from './router'

interface Props {
  entry: Entry
  mayEdit: boolean
  busy: boolean
  onSave(entry: KnownEntry): Promise<boolean>
  onDelete(): void
}

export function NotebookEntry({ entry, mayEdit, busy, onSave, onDelete }: Props) {
  const [isEdited, setEdited] = useState(false)
  const title = entryTitle(entry)
  const query = mapQuery(entry)
  return (
    <li className="notebook-entry">
      <div className="notebook-entry-head">
        <time dateTime={new Date(entry.at * 1000).toISOString()}>{dateTime(entry.at)}</time>
        <span className="notebook-kind">{kindWord(entry.kind)}</span>
        {entry.path ? <Link href={entry.path}>{title}</Link> : null}
        <span className="mute">{savedWords(entry)}</span>
        {mayEdit && !isEdited && (
          <span className="notebook-actions">
            <button
              type="button"
              className="link"
              aria-label={`Edit ${title} of ${dateTime(entry.at)}`}
              onClick={() => setEdited(true)}
            >
              Edit
            </button>
            <button
              type="button"
              className="link"
              disabled={busy}
              aria-label={`Delete ${title} of ${dateTime(entry.at)}`}
              onClick={onDelete}
            >
              Delete
            </button>
          </span>
        )}
      </div>
      {isEdited ? (
        <EntryForm
          entry={entry}
          busy={busy}
          onSave={async (next) => (await onSave(next)) && setEdited(false)}
          onCancel={() => setEdited(false)}
        />
      ) : (
        entry.text && <p className="notebook-text">{entry.text}</p>
      )}
      {entry.expired && (
        <p className="notebook-expired">
          The traces of this entry have expired since; its figures are those of when it was added.
        </p>
      )}
      {query && <MapPicture query={query} title={`${title}, ${dateTime(entry.at)}`} />}
      {entry.figures && <NotebookFigures figures={entry.figures} isOpen={!query} added={entry.added} />}
    </li>
  )
}

interface FormProps {
  entry: Entry
  busy: boolean
  onSave(entry: KnownEntry): Promise<unknown>
  onCancel(): void
}

/** Words and time: an entry moves by its time alone. */
function EntryForm({ entry, busy, onSave, onCancel }: FormProps) {
  const [text, setText] = useState(entry.text)
  const [time, setTime] = useState(() => inputValue(entry.at, false))
  const submit = (event: FormEvent) => {
    event.preventDefault()
    const isMoved = time !== inputValue(entry.at, false)
    void onSave({ id: entry.id, text, at: (isMoved ? parseInstant(time, false) : null) ?? entry.at })
  }
  return (
    <form className="notebook-words" onSubmit={submit}>
      <label>
        Time
        <input
          type="datetime-local"
          step="1"
          required
          value={time}
          onChange={(event) => setTime(event.target.value)}
        />
      </label>
      <textarea
        aria-label="Words"
        rows={4}
        required={entry.kind === 'words'}
        maxLength={MOST_WORDS}
        ref={focused}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <div className="notebook-form-end">
        <button type="submit" className="button primary" disabled={busy}>
          Save
        </button>
        <button type="button" className="button" onClick={onCancel}>
          Cancel
        </button>
      </div>
    </form>
  )
}

const focused = (field: HTMLTextAreaElement | null) => field?.focus()
