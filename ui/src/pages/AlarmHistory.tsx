// What became of an alarm: its events, whether its webhooks have them, and a test of these.

import { useState } from 'react'
import { alarmAddresses, testAlarm, type AlarmDetails, type TestReply } from '../api/alarms'
import { AlarmState } from '../components/AlarmState'
import { errorWords, FailureBanner } from '../components/Banner'
import { Loading } from '../components/Loading'
import { SettingsTable } from '../components/SettingsTable'
import { deliveryWords, linksOf } from '../model/alarms'
import { dateTime } from '../model/format'
import { href } from '../model/url'
import { Link } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'

interface Props {
  name: string
  onClose(): void
}

export function AlarmHistory({ name, onClose }: Props) {
  const { data, error, slow, reload } = useLiveQuery<AlarmDetails>(alarmAddresses.one(name), {
    key: `alarm ${name}`,
  })
  return (
    <section className="settings-form" aria-label={`History of ${name}`}>
      <h2>History of {name}</h2>
      {error && <FailureBanner error={error} what="Could not load the history" onRetry={reload} />}
      {!data && !error && <Loading what="history" slow={slow} />}
      {data && <Events alarm={data} />}
      <div className="form-actions">
        <button type="button" className="button" onClick={onClose}>
          Close
        </button>
        {data && data.webhooks.length > 0 && <TestButton name={name} />}
      </div>
    </section>
  )
}

function Events({ alarm }: { alarm: AlarmDetails }) {
  if (alarm.history.length === 0) return <p className="mute">It has not been evaluated yet.</p>
  return (
    <SettingsTable label="Events" columns={['At', 'State', 'Reason', 'Webhooks', 'Show']}>
      {alarm.history.map((event) => (
        <tr key={event.id}>
          <td data-label="at">{dateTime(event.at)}</td>
          <td>
            <AlarmState state={event.state} />
          </td>
          <td className="wrapped">{event.reason}</td>
          <td className="wrapped">{deliveryWords(event) ?? <span className="mute">none</span>}</td>
          <td className="actions">
            <Link href={href('/map', linksOf(alarm, event).map)} aria-label={`Map at ${dateTime(event.at)}`}>
              Map
            </Link>
          </td>
        </tr>
      ))}
    </SettingsTable>
  )
}

function TestButton({ name }: { name: string }) {
  const { busy, error, run } = useChange()
  const [reply, setReply] = useState<TestReply | null>(null)
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={busy}
        onClick={() => void run(async () => setReply(await testAlarm(name)))}
      >
        {busy ? 'Sending…' : 'Send a test event'}
      </button>
      <p role="status">
        {error && `${errorWords(error)}.`}
        {reply?.deliveries
          .map(({ url, delivered, error: why }) => `${new URL(url).host}: ${delivered ? 'delivered' : why}`)
          .join(' · ')}
      </p>
    </>
  )
}
