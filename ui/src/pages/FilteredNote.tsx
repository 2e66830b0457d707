// What a filtered map counts.

import type { ServiceMap } from '../api/types'
import { count } from '../model/format'
import { Link } from './router'

interface Props {
  filtered: NonNullable<ServiceMap['filtered']>
  /** The list of the same traces. */
  href: string
}

export function FilteredNote({ filtered, href }: Props) {
  const traces = `${count(filtered.traces)} ${filtered.traces === 1 ? 'trace' : 'traces'}`
  return (
    <p className="left-out" role="status">
      Counted from <Link href={href}>{filtered.complete ? traces : `the newest ${traces}`}</Link> that satisfy
      the filter{filtered.complete ? '' : '; there are more'}.
    </p>
  )
}
