// A JSON value that folds. Opens the first levels, the deeper ones on demand.

import { useState } from 'react'
import type { Json } from '../api/types'

interface Props {
  value: Json
  name?: string | undefined
  /** How many levels are open at first. */
  depth?: number
}

export function JsonTree({ value, name, depth = 1 }: Props) {
  if (value === null || typeof value !== 'object') {
    return (
      <div className="json-line">
        <Key name={name} />
        <Scalar value={value} />
      </div>
    )
  }
  return <Branch value={value} name={name} depth={depth} />
}

function Branch({ value, name, depth = 1 }: Props & { value: Json[] | { [key: string]: Json } }) {
  const [open, setOpen] = useState(depth > 0)
  const isList = Array.isArray(value)
  const entries: [string, Json][] = isList
    ? value.map((one, index) => [String(index), one])
    : Object.entries(value)
  const [left, right] = isList ? '[]' : '{}'
  if (entries.length === 0) {
    return (
      <div className="json-line">
        <Key name={name} />
        <span className="json-mark">
          {left}
          {right}
        </span>
      </div>
    )
  }
  return (
    <div className="json-branch">
      <button type="button" className="json-toggle" aria-expanded={open} onClick={() => setOpen(!open)}>
        <span className="caret" aria-hidden="true">
          {open ? '▾' : '▸'}
        </span>
        <Key name={name} />
        <span className="json-mark">{open ? left : `${left} ${entries.length} ${right}`}</span>
      </button>
      {open && (
        <div className="json-children">
          {entries.map(([key, inner]) => (
            <JsonTree key={key} name={key} value={inner} depth={depth - 1} />
          ))}
        </div>
      )}
    </div>
  )
}

function Key({ name }: { name: string | undefined }) {
  return name === undefined ? null : <span className="json-key">{name}: </span>
}

function Scalar({ value }: { value: string | number | boolean | null }) {
  const kind = value === null ? 'null' : typeof value
  return <span className={`json-${kind}`}>{JSON.stringify(value)}</span>
}
