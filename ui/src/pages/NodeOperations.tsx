// What a node did in its panel, fetched apart: operations are counted from rows.

import type { ReactNode } from 'react'
import { addresses, type TimeWindow } from '../api/client'
import type { OperationNumbers } from '../api/types'
import { OperationTable } from '../components/OperationTable'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  id: string
  window: TimeWindow
  rangeKey: string
  operationLink(operation: string, words: ReactNode): ReactNode
}

export function NodeOperations({ id, window, rangeKey, operationLink }: Props) {
  const { data, error } = useLiveQuery<OperationNumbers>(addresses.operations(window, id), {
    key: `operations ${id}`,
    variant: rangeKey,
  })
  if (error?.status === 400 && !data) {
    return (
      <>
        <h3>Operations</h3>
        <p className="mute">Too many requests to tell them apart in this range. Choose a shorter one.</p>
      </>
    )
  }
  const operations = data?.operations ?? []
  if (!operations.some(({ named }) => named)) return null
  return (
    <OperationTable
      operations={operations}
      background={data?.work === 'background'}
      operationLink={operationLink}
    />
  )
}
