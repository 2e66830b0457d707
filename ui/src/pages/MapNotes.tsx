// What a map counts if it is filtered, what it leaves out, and what is wrong with its nodes' names.

import type { ServiceMap } from '../api/types'
import { count } from '../model/format'
import { carried, href } from '../model/url'
import { Link, useAddress } from './router'

export function MapNotes({ data }: { data: ServiceMap }) {
  const { filtered, left_out: leftOut } = data
  const { params } = useAddress()
  return (
    <>
      {filtered && <Filtered filtered={filtered} list={href('/traces', carried(params))} />}
      {leftOut > 0 && !data.boxes?.by && (
        <p className="left-out" role="status">
          {count(data.nodes.length)} of {count(data.total_nodes)} services are drawn: the unhealthy first,
          then the busiest. Search finds all of them.
        </p>
      )}
      {data.problems.map((problem) => (
        <p className="left-out" role="status" key={problem}>
          {problem}.
        </p>
      ))}
    </>
  )
}

function Filtered({ filtered, list }: { filtered: NonNullable<ServiceMap['filtered']>; list: string }) {
  const traces = `${count(filtered.traces)} ${filtered.traces === 1 ? 'trace' : 'traces'}`
  return (
    <p className="left-out" role="status">
      Counted from <Link href={list}>{filtered.complete ? traces : `the newest ${traces}`}</Link> that satisfy
      the filter{filtered.complete ? '' : '; there are more'}.
    </p>
  )
}
