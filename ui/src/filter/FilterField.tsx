// The filter as a plain field, until its editor is loaded: what is typed meanwhile is not lost.

import type { Ref } from 'react'
import { PLACEHOLDER } from './placeholder'

interface Props {
  field: Ref<HTMLTextAreaElement>
  value: string
  onChange(text: string): void
  onRun(): void
  /** Someone is about to write. */
  onEdit(): void
}

export function FilterField({ field, value, onChange, onRun, onEdit }: Props) {
  return (
    <textarea
      ref={field}
      className="filter-editor filter-field mono"
      aria-label="Filter"
      placeholder={PLACEHOLDER}
      rows={1}
      spellCheck={false}
      value={value}
      onChange={({ target }) => onChange(target.value)}
      onFocus={onEdit}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' || event.shiftKey) return
        event.preventDefault()
        onRun()
      }}
    />
  )
}
