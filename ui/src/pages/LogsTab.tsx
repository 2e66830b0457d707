// The log lines of a trace, fetched when their tab is opened.

import { addresses } from '../api/client'
import type { Trace, TraceLogs } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { Loading } from '../components/Loading'
import { LogLines } from '../components/LogLines'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  trace: Trace
  onRow(id: string): void
}

export function LogsTab({ trace, onRow }: Props) {
  const { data, error, slow, reload } = useLiveQuery<TraceLogs>(addresses.logs(trace.id), {
    key: `logs ${trace.id}`,
  })
  if (data) return <LogLines logs={data} rows={trace.rows} start={trace.start} onRow={onRow} />
  if (error) return <FailureBanner error={error} what="Could not load the log lines" onRetry={reload} />
  return <Loading what="log lines" slow={slow} />
}
