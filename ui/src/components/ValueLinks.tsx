// What a value leads to: the traces that have it, and those that do not.

import type { ReactNode } from 'react'
import '../styles/valueLinks.css'

/** A link to the list of the traces that satisfy a term, or of those that do not. */
export type TermLink = (term: string, isWanted: boolean, label: string, words: ReactNode) => ReactNode

interface Props {
  term: string
  termLink: TermLink
}

export function ValueLinks({ term, termLink }: Props) {
  return (
    <span className="value-links">
      {termLink(term, true, `Filter: ${term}`, '+')}
      {termLink(term, false, `Filter: not ${term}`, '−')}
    </span>
  )
}
