// The versions of a service: who gets how much of the traffic, and how each does.

import type { ReactNode } from 'react'
import type { Version } from '../api/types'
import { count, duration, percent } from '../model/format'
import { STATE_LABELS, shares } from '../model/health'
import { versionWords } from '../model/versions'
import { SharesBar } from './SharesBar'
import '../styles/panel.css'

interface Props {
  /** Whether nothing says how some of the requests ended: no bar claims it. */
  unknown: boolean
  versions: readonly Version[]
  versionLink(version: string, words: ReactNode): ReactNode
}

export function VersionTable({ versions, unknown, versionLink }: Props) {
  return (
    <>
      <h3>Versions</h3>
      <div className="version-bar" aria-hidden="true">
        {versions.map(({ version, share }) => (
          <span key={version} style={{ flexGrow: share }} />
        ))}
      </div>
      <table className="versions">
        <thead>
          <tr>
            <th>Version</th>
            <th className="numeric">Share</th>
            <th className="numeric">Requests</th>
            <th className="numeric">p95</th>
            <th>
              <span className="visually-hidden">Outcomes</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {versions.map((one) => {
            const parts = shares(one)
            const words = versionWords(one)
            return (
              <tr key={one.version}>
                <td>{one.named ? versionLink(one.version, words) : <span className="mute">{words}</span>}</td>
                <td className="numeric">{percent(one.share)}</td>
                <td className="numeric">{count(one.requests)}</td>
                <td className="numeric">{duration(one.p95_ms)}</td>
                <td title={parts ? `${STATE_LABELS.fault.word}s ${percent(parts.fault)}` : undefined}>
                  {parts && !unknown && <SharesBar shares={parts} />}
                </td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </>
  )
}
