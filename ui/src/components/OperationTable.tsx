// What a service did, and how that went: one row an operation, sorted by the column that is chosen.

import { useState, type ReactNode } from 'react'
import type { OperationLine } from '../api/types'
import { count, duration, percent } from '../model/format'
import { STATES, STATE_LABELS, shares } from '../model/health'
import { FEW, ORDERS, operationWords, sorted, type Order } from '../model/operations'
import { SharesBar } from './SharesBar'
import '../styles/panel.css'

interface Props {
  operations: readonly OperationLine[]
  background: boolean
  operationLink(operation: string, words: ReactNode): ReactNode
}

const HEADS: Record<Order, string> = { requests: 'Requests', fault: 'Outcomes', p50_ms: 'p50', p95_ms: 'p95' }

export function OperationTable({ operations, background, operationLink }: Props) {
  const [order, setOrder] = useState<Order>('requests')
  const [all, setAll] = useState(false)
  const lines = sorted(operations, order)
  const head = (one: Order) => (one === 'requests' && background ? 'Runs' : HEADS[one])
  return (
    <>
      <h3>Operations</h3>
      <table className="operations">
        <thead>
          <tr>
            {ORDERS.map((one) => (
              <th
                key={one}
                className={one.endsWith('_ms') ? 'numeric' : undefined}
                aria-sort={one === order ? 'descending' : 'none'}
              >
                <button type="button" className="link" onClick={() => setOrder(one)}>
                  {head(one)}
                </button>
              </th>
            ))}
          </tr>
        </thead>
        {(all ? lines : lines.slice(0, FEW)).map((one) => {
          const parts = shares(one)
          const words = operationWords(one)
          return (
            <tbody key={one.operation}>
              <tr>
                <th colSpan={ORDERS.length} scope="rowgroup">
                  {one.named ? operationLink(one.operation, words) : words}
                </th>
              </tr>
              <tr>
                <td>{count(one.requests)}</td>
                <td title={parts ? sharesWords(parts) : undefined}>
                  {parts && <SharesBar shares={parts} />}
                  {parts && <span className="visually-hidden">{sharesWords(parts)}</span>}
                </td>
                <td className="numeric">{duration(one.p50_ms)}</td>
                <td className="numeric">{duration(one.p95_ms)}</td>
              </tr>
            </tbody>
          )
        })}
      </table>
      {lines.length > FEW && (
        <button type="button" className="link" onClick={() => setAll(!all)}>
          {all ? `Only the first ${FEW}` : `All ${lines.length}`}
        </button>
      )}
    </>
  )
}

function sharesWords(parts: NonNullable<ReturnType<typeof shares>>): string {
  return STATES.map((state) => `${STATE_LABELS[state].word} ${percent(parts[state])}`).join(', ')
}
