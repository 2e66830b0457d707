// What the platform measured of a node, in its panel; fetched apart.

import { addresses, type TimeWindow } from '../api/client'
import type { NodeCharts } from '../api/types'
import { MetricCharts } from '../components/MetricCharts'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  id: string
  window: TimeWindow
  rangeKey: string
}

export function NodeMetrics({ id, window, rangeKey }: Props) {
  const { data } = useLiveQuery<NodeCharts>(addresses.nodeMetrics(window, id), {
    key: `metrics ${id}`,
    variant: rangeKey,
  })
  if (!data || data.charts.length === 0) return null
  return <MetricCharts charts={data.charts} />
}
