// A notebook as Markdown: with diagrams that are text, to be pasted, or as an archive with a picture of each map.

import { useState } from 'react'
import { fetchJson } from '../api/client'
import { exported, notebookAddresses, type Notebook } from '../api/notebooks'
import type { ServiceMap } from '../api/types'
import { errorWords } from '../components/Banner'
import { CopyButton } from '../components/CopyButton'
import { download } from '../map/download'
import { Icon } from '../components/Icon'
import { mapAddress, mapQuery } from '../model/notebook'
import { zipped, type ZipFile } from '../model/zip'
import { drawMap } from './drawMap'
import { useChange } from './useChange'

export function NotebookExport({ book }: { book: Notebook }) {
  const change = useChange()
  const [said, setSaid] = useState('')
  const save = () =>
    change.run(async () => {
      const maps = await picturesOf(book)
      const text = await exported(
        book.id,
        maps.map(({ id }) => id),
      )
      const files: ZipFile[] = [
        { name: 'notebook.md', text },
        ...maps.map(({ id, svg }) => ({ name: `pictures/${id}.svg`, text: svg })),
      ]
      download(new Blob([zipped(files)], { type: 'application/zip' }), `notebook-${book.id}.zip`)
      setSaid('Saved.')
    })
  return (
    <div className="notebook-export">
      <CopyButton
        text={() => exported(book.id)}
        label="Copy as Markdown; maps are Mermaid diagrams"
        words="Copy"
      />
      <a
        className="button"
        href={notebookAddresses.export(book.id)}
        download={`notebook-${book.id}.md`}
        title="Save as Markdown; maps are Mermaid diagrams"
      >
        <Icon name="picture" size={14} /> Markdown
      </a>
      <button
        type="button"
        className="button"
        disabled={change.busy}
        title="Save as Markdown with a picture of each map, in a ZIP archive"
        onClick={() => void save()}
      >
        <Icon name="picture" size={14} /> {change.busy ? 'Drawing…' : 'With pictures'}
      </button>
      <span className="visually-hidden" role="status">
        {said}
      </span>
      {change.error && (
        <span className="field-error" role="alert">
          {errorWords(change.error)}.
        </span>
      )}
    </div>
  )
}

/** Of the maps that can be drawn now; of the others the text has a diagram. */
async function picturesOf(book: Notebook): Promise<{ id: string; svg: string }[]> {
  const found: { id: string; svg: string }[] = []
  for (const entry of book.entries) {
    const query = mapQuery(entry)
    if (!query) continue
    const drawn = await drawMap(await fetchJson<ServiceMap>(mapAddress(query)), query.toString())
    if (drawn) found.push({ id: entry.id, svg: drawn.text })
  }
  return found
}
