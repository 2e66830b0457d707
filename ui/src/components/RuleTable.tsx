// Sampling rules in the order in which SDKs try them, beside what was reported in the last half hour.

import type { SamplingRule } from '../api/xray'
import { count, percent } from '../model/format'
import { conditionsOf, type RuleCounts } from '../model/samplingRules'
import { DeleteButton } from './DeleteButton'
import { SettingsTable } from './SettingsTable'

interface Props {
  rules: readonly SamplingRule[]
  /** Null until they are known. */
  counts: ReadonlyMap<string, RuleCounts> | null
  /** Why the counts are not known. */
  problem: string | null
  onEdit(name: string): void
  onDelete(name: string): Promise<void>
}

export function RuleTable({ rules, counts, problem, onEdit, onDelete }: Props) {
  const ordered = rules.toSorted((a, b) => a.Priority - b.Priority)
  return (
    <SettingsTable
      label="Sampling rules"
      columns={[
        { numeric: 'Priority' },
        'Name',
        'For',
        { numeric: 'Reservoir' },
        { numeric: 'Rate' },
        { numeric: 'Requests, 30 min' },
        { numeric: 'Recorded' },
        { hidden: 'Requests by minute' },
        { hidden: 'Change' },
      ]}
      note={
        <>
          {problem && <p className="mute settings-empty">No statistics: {problem}.</p>}
          {counts?.size === 0 && (
            <p className="settings-empty">
              No SDK reported in the last half hour: those that sample by central rules do so every ten
              seconds.
            </p>
          )}
        </>
      }
    >
      {ordered.map((rule) => (
        <RuleRow
          key={rule.RuleName}
          rule={rule}
          counts={counts?.get(rule.RuleName ?? '') ?? null}
          onEdit={onEdit}
          onDelete={onDelete}
        />
      ))}
    </SettingsTable>
  )
}

interface RowProps extends Pick<Props, 'onEdit' | 'onDelete'> {
  rule: SamplingRule
  counts: RuleCounts | null
}

function RuleRow({ rule, counts, onEdit, onDelete }: RowProps) {
  const name = rule.RuleName ?? ''
  const conditions = conditionsOf(rule)
  const boost = rule.SamplingRateBoost
  return (
    <tr>
      <td className="numeric" data-label="priority">
        {count(rule.Priority)}
      </td>
      <td>
        <strong>{name}</strong>
      </td>
      <td className="wrapped">
        {conditions.length === 0 && <span className="mute">every request</span>}
        {conditions.map(([what, pattern]) => (
          <span key={what} className="condition">
            <span className="mute">{what}</span> <code>{pattern}</code>
          </span>
        ))}
      </td>
      <td className="numeric" data-label="reservoir">
        {count(rule.ReservoirSize)}/s
      </td>
      <td className="numeric" data-label="rate">
        {percent(rule.FixedRate)}
        {boost && <span className="mute"> to {percent(boost.MaxRate)}</span>}
      </td>
      <td className="numeric" data-label="requests">
        {counts ? count(counts.requests) : '–'}
      </td>
      <td
        className="numeric"
        data-label="recorded"
        title={counts ? `${count(counts.borrowed)} of them before a quota was known` : undefined}
      >
        {counts ? count(counts.sampled) : '–'}{' '}
        {counts && counts.requests > 0 && (
          <span className="mute">{percent(counts.sampled / counts.requests)}</span>
        )}
      </td>
      <td>{counts && <Minutes minutes={counts.minutes} />}</td>
      <td className="actions">
        <button
          type="button"
          className="link"
          aria-label={`Edit the rule ${name}`}
          onClick={() => onEdit(name)}
        >
          Edit
        </button>
        {name !== 'Default' && <DeleteButton what={`the rule ${name}`} onDelete={() => onDelete(name)} />}
      </td>
    </tr>
  )
}

const [WIDTH, HEIGHT] = [92, 18] as const

function Minutes({ minutes }: { minutes: readonly number[] }) {
  const most = Math.max(1, ...minutes)
  const step = WIDTH / minutes.length
  return (
    <svg className="spark" width={WIDTH} height={HEIGHT} role="img" aria-label={sparkWords(minutes)}>
      <title>{sparkWords(minutes)}</title>
      {minutes.map((value, at) => {
        const height = value > 0 ? Math.max(1, (value / most) * HEIGHT) : 0
        return <rect key={at} x={at * step} y={HEIGHT - height} width={step - 0.8} height={height} />
      })}
    </svg>
  )
}

function sparkWords(minutes: readonly number[]): string {
  return `At most ${count(Math.max(...minutes))} requests a minute, ${count(minutes.at(-1))} in the latest`
}
