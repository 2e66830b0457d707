// What a model, an agent or a tool was called for, and the tokens that took; fetched apart: they are read from traces.

import { addresses, type TimeWindow } from '../api/client'
import type { GenAIUsage } from '../api/types'
import { type UsageLink, UsageTable } from '../components/UsageTable'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  place: 'node' | 'edge'
  id: string
  window: TimeWindow
  rangeKey: string
  filter: string
  link: UsageLink
}

export function Usage({ place, id, window, rangeKey, filter, link }: Props) {
  const { data } = useLiveQuery<GenAIUsage>(addresses.genai(window, filter, place, id), {
    key: `usage ${id}`,
    variant: `${rangeKey} ${filter}`,
  })
  if (!data || data.operations.length === 0) return null
  return <UsageTable usage={data} link={link} />
}
