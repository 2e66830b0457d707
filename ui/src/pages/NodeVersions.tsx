// The versions of a node in its panel, fetched apart: they are counted from rows.

import type { ReactNode } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { VersionList } from '../api/types'
import { VersionTable } from '../components/VersionTable'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  id: string
  window: TimeWindow
  rangeKey: string
  unknown: boolean
  versionLink(version: string, words: ReactNode): ReactNode
}

export function NodeVersions({ id, window, rangeKey, unknown, versionLink }: Props) {
  const { data } = useLiveQuery<VersionList>(addresses.versions(window, id), {
    key: `versions ${id}`,
    variant: rangeKey,
  })
  const versions = data?.versions ?? []
  if (!versions.some(({ named }) => named)) return null
  return <VersionTable versions={versions} unknown={unknown} versionLink={versionLink} />
}
