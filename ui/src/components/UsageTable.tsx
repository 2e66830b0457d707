// The operations of models, agents and tools, with tokens and cost.

import type { ReactNode } from 'react'
import type { GenAIUsage } from '../api/types'
import { count } from '../model/format'
import { usageRows } from '../model/usage'
import '../styles/panel.css'

/** Makes words a link to the traces with calls that satisfy a condition. */
export type UsageLink = (condition: string, words: ReactNode) => ReactNode

export function UsageTable({ usage, link }: { usage: GenAIUsage; link: UsageLink }) {
  const rows = usageRows(usage)
  const hasCost = rows.some((row) => row.cost)
  return (
    <section aria-label="Operations">
      <h3>Operations and tokens</h3>
      {!usage.complete && <p className="mute">In the newest {count(usage.traces)} traces.</p>}
      <table className="facts usage">
        <thead>
          <tr>
            <th>Operation</th>
            <th>Calls</th>
            <th title="Tokens of what was sent">Input</th>
            <th title="Tokens of what came back">Output</th>
            {hasCost && <th>Cost</th>}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.words}>
              <th>{row.words}</th>
              <td>{link(row.condition, count(row.calls))}</td>
              <td>{row.input === '–' ? '–' : link(row.condition, row.input)}</td>
              <td>{row.output === '–' ? '–' : link(row.condition, row.output)}</td>
              {hasCost && <td>{row.cost && link(row.condition, row.cost)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
