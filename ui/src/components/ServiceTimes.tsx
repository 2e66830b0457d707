// Where the time of a trace went, by service.

import { count, duration, percent } from '../model/format'
import type { ServiceTime } from '../api/types'
import '../styles/tables.css'

interface Props {
  times: readonly ServiceTime[]
  /** Milliseconds from the first start to the last end. */
  total: number
  onService(service: string): void
}

export function ServiceTimes({ times, total, onService }: Props) {
  return (
    <div className="service-times">
      <p className="mute">
        On the path: the time that the trace would have been shorter by, at most. Self: while the service ran
        and nothing that it called did.
      </p>
      <table className="table" aria-label="Time by service">
        <thead>
          <tr>
            <th>Service</th>
            <th className="numeric">On the critical path</th>
            <th className="numeric">Share</th>
            <th className="numeric">Self time</th>
            <th className="numeric">Segments</th>
          </tr>
        </thead>
        <tbody>
          {times.map(({ service, rows, self_ms: self, path_ms: onPath }) => (
            <tr key={service}>
              <td>
                <button type="button" className="link" onClick={() => onService(service)}>
                  {service}
                </button>
              </td>
              <td className="numeric">{duration(onPath)}</td>
              <td className="numeric">{total > 0 ? percent(onPath / total) : '–'}</td>
              <td className="numeric">{duration(self)}</td>
              <td className="numeric">{count(rows)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
