// A table of a settings page: the head by the names of its columns; rows and a note below are its caller's.

import type { ReactNode } from 'react'
import '../styles/tables.css'
import '../styles/forms.css'

/** A name, of numbers, of what narrow screens leave out, or for screen readers alone. */
type Column = string | { numeric: string } | { extra: string } | { hidden: string }

interface Props {
  label: string
  columns: readonly Column[]
  note?: ReactNode
  children: ReactNode
}

export function SettingsTable({ label, columns, note, children }: Props) {
  return (
    <div className="table-scroll">
      <table className="table settings-table" aria-label={label}>
        <thead>
          <tr>{columns.map(head)}</tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
      {note}
    </div>
  )
}

function head(column: Column) {
  if (typeof column === 'string') return <th key={column}>{column}</th>
  if ('extra' in column)
    return (
      <th key={column.extra} className="is-extra">
        {column.extra}
      </th>
    )
  if ('numeric' in column)
    return (
      <th key={column.numeric} className="numeric">
        {column.numeric}
      </th>
    )
  return (
    <th key={column.hidden}>
      <span className="visually-hidden">{column.hidden}</span>
    </th>
  )
}
