// Declared against observed: the stacks, and every difference with its place on the map.

import { useState } from 'react'
import { declaredAddresses, type Comparison, type Stack, type Status } from '../api/declared'
import { FailureBanner } from '../components/Banner'
import { IncompleteNote } from '../components/IncompleteNote'
import { Loading } from '../components/Loading'
import { SettingsTable } from '../components/SettingsTable'
import { TimePicker } from '../components/TimePicker'
import { findings, STATUS_WORDS, STATUSES, type Finding } from '../model/declared'
import { count, dateTime, span } from '../model/format'
import { parseRange, PRESETS, rangeParams, type Preset, type Range } from '../model/range'
import { carried, href, type Changes } from '../model/url'
import { Link, setParams, useAddress } from './router'
import { TimeChoices } from './timeChoices'
import { useLiveQuery } from './useLiveQuery'
import { rangeKey, useTimeWindow } from './useTimeWindow'
import '../styles/tables.css'
import '../styles/forms.css'
import '../styles/declared.css'

const LAST_DAY: Range = { kind: 'live', preset: PRESETS.find(({ key }) => key === '24h') as Preset }
const DIFFERENCES: readonly Status[] = ['never_seen', 'undeclared']

export function DeclaredPage() {
  const { params } = useAddress()
  const chosen = params.get('range') || params.get('from')
  const range = chosen ? parseRange(params) : LAST_DAY
  const [refresh, setRefresh] = useState(0)
  const seen = useTimeWindow(range, refresh, false)
  const { data, error, at, slow, reload } = useLiveQuery<Comparison>(declaredAddresses.compare(seen), {
    key: 'declared page',
    variant: rangeKey(range),
  })
  const status = STATUSES.find((one) => one === params.get('status'))
  const along = { ...carried(params), filter: null, ...rangeParams(range) }
  return (
    <main className="settings-page" tabIndex={-1} aria-label="Declared">
      <div className="settings-head">
        <h1>Declared against observed</h1>
        <TimePicker
          choices={TimeChoices}
          range={range}
          window={seen}
          refresh={refresh}
          refreshChoices={[0, 60]}
          updatedAt={at}
          stale={error !== null}
          slow={slow}
          onRange={(next) => setParams(rangeParams(next))}
          onRefresh={setRefresh}
        />
      </div>
      {error && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : 'Could not compare'}
          onRetry={reload}
        />
      )}
      {!data && !error && <Loading what="comparison" slow={slow} />}
      {data && data.stacks.length === 0 && <NothingDeclared />}
      {data && data.stacks.length > 0 && (
        <>
          <p className="mute settings-intro">{windowWords(data)}</p>
          <IncompleteNote of={data} at={at} />
          <StatusLinks comparison={data} status={status} along={along} />
          <FindingTable
            found={findings(data).filter((one) => isShown(one, status))}
            along={along}
            status={status}
          />
          <StackTable stacks={data.stacks} />
        </>
      )}
    </main>
  )
}

function windowWords({ from, to, traffic_since }: Comparison): string {
  const window = `Compared with ${span(from, to)}`
  if (traffic_since === null) return `${window}, which has no traffic: nothing can be said.`
  return `${window}, whose first traffic was at ${dateTime(traffic_since)}. What is not seen is dead or not traced.`
}

function NothingDeclared() {
  return (
    <p className="settings-empty">
      No stack is declared here. <code>raymap declare template.yaml --stack NAME</code> declares one.
    </p>
  )
}

function statusOf({ node, edge }: Finding): Status {
  return (node ?? edge).status
}

function isShown(one: Finding, status: Status | undefined): boolean {
  return status ? statusOf(one) === status : DIFFERENCES.includes(statusOf(one))
}

interface LinksProps {
  comparison: Comparison
  status: Status | undefined
  along: Changes
}

function StatusLinks({ comparison, status, along }: LinksProps) {
  const { counts } = comparison
  const entry = (key: Status | undefined, words: string, number: number) => (
    <Link
      key={words}
      className="declared-choice"
      aria-current={status === key ? 'true' : undefined}
      href={href('/declared', { ...along, status: key ?? null })}
    >
      {words} <strong>{count(number)}</strong>
    </Link>
  )
  return (
    <nav className="declared-choices" aria-label="Status">
      {entry(undefined, 'all differences', counts.never_seen + counts.undeclared)}
      {STATUSES.map((one) => entry(one, STATUS_WORDS[one], counts[one]))}
    </nav>
  )
}

interface TableProps {
  found: Finding[]
  along: Changes
  status: Status | undefined
}

function FindingTable({ found, along, status }: TableProps) {
  if (found.length === 0)
    return (
      <p className="settings-empty">
        {status ? `Nothing is ${STATUS_WORDS[status]}.` : 'There is no difference.'}
      </p>
    )
  return (
    <SettingsTable label="Findings" columns={['Status', 'What', 'Stack', 'Why']}>
      {found.map((one) => (
        <FindingRow key={rowKey(one)} finding={one} along={along} />
      ))}
    </SettingsTable>
  )
}

function rowKey({ node, edge }: Finding): string {
  return node
    ? `${node.id} ${node.stacks.join()} ${node.logical_id}`
    : `${edge.id} ${edge.stacks.join()} ${edge.evidence.join()}`
}

function FindingRow({ finding, along }: { finding: Finding; along: Changes }) {
  const { node, edge } = finding
  const one = node ?? edge
  const target = href('/map', { ...along, as: 'map', declared: '1', sel: one.id })
  return (
    <tr>
      <td>
        <span className={`declared-mark is-${one.status}`} aria-hidden="true" /> {STATUS_WORDS[one.status]}
      </td>
      <td className="wrapped">
        <Link href={target}>{node ? node.name : `${edge.source_name} → ${edge.target_name}`}</Link>
        <div className="mute">
          {node
            ? [node.type, node.logical_id].filter(Boolean).join(' · ')
            : edge.evidence.join(', ') || 'call'}
        </div>
      </td>
      <td className="wrapped">{one.stacks.join(', ')}</td>
      <td className="wrapped mute">{one.why}</td>
    </tr>
  )
}

function StackTable({ stacks }: { stacks: Stack[] }) {
  return (
    <>
      <h2>Stacks</h2>
      <SettingsTable label="Stacks" columns={['Stack', 'Where', 'Template', 'Declared']}>
        {stacks.map((one) => (
          <tr key={`${one.stack} ${one.account} ${one.region}`}>
            <td className="wrapped">
              <strong>{one.stack}</strong>
              {one.notes.length > 0 && (
                <details>
                  <summary>{count(one.notes.length)} open points</summary>
                  <ul>
                    {one.notes.map((note) => (
                      <li key={note}>{note}</li>
                    ))}
                  </ul>
                </details>
              )}
            </td>
            <td className="wrapped">
              {[one.environment, one.account, one.region].filter(Boolean).join(' · ') || 'anywhere'}
            </td>
            <td className="wrapped">
              {one.template}
              <div className="mute">
                {count(one.resources)} resources, {count(one.calls)} calls
              </div>
            </td>
            <td>{dateTime(one.declared_at)}</td>
          </tr>
        ))}
      </SettingsTable>
    </>
  )
}
