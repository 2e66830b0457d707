// The operations of models, agents and tools, with tokens and cost.

import type { GenAIUsage } from '../api/types'
import { count } from '../model/format'
import { usageRows } from '../model/usage'
import '../styles/panel.css'

export function UsageTable({ usage }: { usage: GenAIUsage }) {
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
              <td>{count(row.calls)}</td>
              <td>{row.input}</td>
              <td>{row.output}</td>
              {hasCost && <td>{row.cost}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
