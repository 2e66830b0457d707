// Alarms, those that fire first, with what explains them.

import type { Alarm } from '../api/alarms'
import { AlarmState } from '../components/AlarmState'
import { DeleteButton } from '../components/DeleteButton'
import { SettingsTable } from '../components/SettingsTable'
import { deliveryWords, linksOf, ordered } from '../model/alarms'
import { dateTime } from '../model/format'
import { href } from '../model/url'
import { Link } from './router'

interface Props {
  alarms: readonly Alarm[]
  onEdit(name: string): void
  onHistory(name: string): void
  onDelete(name: string): Promise<void>
}

export function AlarmTable({ alarms, ...actions }: Props) {
  return (
    <SettingsTable
      label="Alarms"
      columns={['State', 'Name', 'Rule', 'Since', 'Show', { hidden: 'Change' }]}
      note={
        alarms.length === 0 && (
          <p className="settings-empty">
            No alarms yet. A first one could be a fault share of 5 % for 3 of 5 minutes of all requests.
          </p>
        )
      }
    >
      {ordered(alarms).map((alarm) => (
        <AlarmRow key={alarm.name} alarm={alarm} {...actions} />
      ))}
    </SettingsTable>
  )
}

function AlarmRow({ alarm, onEdit, onHistory, onDelete }: { alarm: Alarm } & Omit<Props, 'alarms'>) {
  const { name, last } = alarm
  const links = last && linksOf(alarm, last)
  const delivery = last && deliveryWords(last)
  return (
    <tr>
      <td>
        <AlarmState state={alarm.state} />
      </td>
      <td className="wrapped">
        <strong>{name}</strong>
        {alarm.note && <div className="mute">{alarm.note}</div>}
      </td>
      <td className="wrapped">
        {alarm.rule}
        {last && <div className="mute">{last.reason}</div>}
      </td>
      <td data-label="since">
        {last ? dateTime(last.at) : dateTime(alarm.created)}
        {delivery && <div className="mute wrapped">{delivery}</div>}
      </td>
      <td className="actions">
        {links && (
          <>
            <Link href={href('/map', links.map)} aria-label={`Map of ${name}`}>
              Map
            </Link>
            <Link href={href('/traces', links.traces)} aria-label={`Traces of ${name}`}>
              Traces
            </Link>
          </>
        )}
      </td>
      <td className="actions">
        <button
          type="button"
          className="link"
          aria-label={`History of the alarm ${name}`}
          onClick={() => onHistory(name)}
        >
          History
        </button>
        <button
          type="button"
          className="link"
          aria-label={`Edit the alarm ${name}`}
          onClick={() => onEdit(name)}
        >
          Edit
        </button>
        <DeleteButton what={`the alarm ${name}`} onDelete={() => onDelete(name)} />
      </td>
    </tr>
  )
}
