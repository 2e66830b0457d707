// The states of a state machine in its panel, as a flow; fetched apart: they are read from its newest traces.

import { addresses, type TimeWindow } from '../api/client'
import type { StateList } from '../api/types'
import { StateFlow } from '../components/StateFlow'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  id: string
  window: TimeWindow
  rangeKey: string
  filter: string
}

export function NodeStates({ id, window, rangeKey, filter }: Props) {
  const { data } = useLiveQuery<StateList>(addresses.states(window, filter, id), {
    key: `states ${id}`,
    variant: `${rangeKey} ${filter}`,
  })
  if (!data || data.states.length === 0) return null
  return <StateFlow flow={data} />
}
