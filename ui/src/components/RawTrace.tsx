import { useState } from 'react'
import type { RawDocuments } from '../api/types'
import { CopyButton } from './CopyButton'
import { JsonTree } from './JsonTree'

export function RawTrace({ raw, left_out: leftOut }: RawDocuments) {
  const [open, setOpen] = useState(() => raw[0]?.Id ?? null)
  const text = () => JSON.stringify(raw, null, 2)
  return (
    <div className="raw-trace">
      <div className="raw-actions">
        <CopyButton text={text} label="Copy all documents as JSON" words="Copy JSON" />
        <span className="mute">
          {raw.length} segment documents, as BatchGetTraces returns them
          {leftOut > 0 && `; ${leftOut} more are left out`}
        </span>
      </div>
      {raw.map(({ Id, Document }) => (
        <section key={Id} className="raw-document">
          <button
            type="button"
            className="raw-title"
            aria-expanded={open === Id}
            onClick={() => setOpen(open === Id ? null : Id)}
          >
            <span className="caret" aria-hidden="true">
              {open === Id ? '▾' : '▸'}
            </span>
            <code>{Id}</code>
            <span>{nameOf(Document)}</span>
          </button>
          {open === Id && <JsonTree value={Document} depth={2} />}
        </section>
      ))}
    </div>
  )
}

function nameOf(document: RawDocuments['raw'][number]['Document']): string {
  const fields = document as { name?: unknown } | null
  return typeof fields?.name === 'string' ? fields.name : ''
}
