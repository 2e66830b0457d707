// What became of the segments that the server received.

import type { ServerStatus } from '../api/types'
import { bytes, count, duration } from '../model/format'
import '../styles/statusNumbers.css'

export function StatusNumbers({ status }: { status: ServerStatus }) {
  const { ingest } = status
  const reasons = Object.entries(ingest.rejected_by_reason ?? {}).sort((a, b) => b[1] - a[1])
  return (
    <div className="status-numbers">
      {status.problems.map((problem) => (
        <p key={problem} className="field-error">
          {problem}
        </p>
      ))}
      <table>
        <tbody>
          <Row label="Received" value={count(ingest.received)} />
          <Row label="Stored" value={count(ingest.stored)} />
          <Row label="Rejected" value={count(ingest.rejected)} />
          {reasons.map(([reason, number]) => (
            <Row key={reason} label={reason} value={count(number)} inner />
          ))}
          <Row label="Dropped" value={count(ingest.dropped)} bad={ingest.dropped > 0} />
          <Row
            label="Dropped by the kernel"
            value={count(ingest.kernel_drops)}
            bad={(ingest.kernel_drops ?? 0) > 0}
          />
          <Row label="Waiting" value={count(ingest.queued)} />
          {ingest.journal_bytes > 0 && <Row label="In the journal" value={bytes(ingest.journal_bytes)} />}
          {ingest.oldest_s > 0 && <Row label="Oldest waiting" value={duration(ingest.oldest_s * 1000)} />}
        </tbody>
      </table>
      <p className="mute">Raymap {status.version}</p>
    </div>
  )
}

function Row({ label, value, bad, inner }: { label: string; value: string; bad?: boolean; inner?: boolean }) {
  return (
    <tr className={bad ? 'status-fault' : undefined}>
      <th className={inner ? 'inner' : undefined}>{label}</th>
      <td>{value}</td>
    </tr>
  )
}
