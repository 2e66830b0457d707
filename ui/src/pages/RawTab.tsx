// The documents of a trace, fetched when their tab is opened.

import { addresses } from '../api/client'
import type { RawDocuments } from '../api/types'
import { FailureBanner } from '../components/Banner'
import { Loading } from '../components/Loading'
import { RawTrace } from '../components/RawTrace'
import { useLiveQuery } from './useLiveQuery'

export function RawTab({ id }: { id: string }) {
  const { data, error, slow, reload } = useLiveQuery<RawDocuments>(addresses.raw(id), { key: `raw ${id}` })
  if (data) return <RawTrace {...data} />
  if (error) return <FailureBanner error={error} what="Could not load the documents" onRetry={reload} />
  return <Loading what="documents" slow={slow} />
}
