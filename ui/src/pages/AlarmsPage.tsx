// Alarms: their states, what explains them, and their rules.

import { useEffect } from 'react'
import { alarmAddresses, deleteAlarm, type AlarmList } from '../api/alarms'
import { errorWords, FailureBanner } from '../components/Banner'
import { Loading } from '../components/Loading'
import { NO_PROPOSAL, proposed } from '../model/proposals'
import { AlarmForm } from './AlarmForm'
import { AlarmHistory } from './AlarmHistory'
import { AlarmTable } from './AlarmTable'
import { setParams, useAddress } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import '../styles/tables.css'
import '../styles/forms.css'

/** How often alarms are evaluated. */
const REFRESH_MS = 10_000

export function AlarmsPage() {
  const { params } = useAddress()
  const { data, error, slow, reload } = useLiveQuery<AlarmList>(alarmAddresses.all, { key: 'alarms' })
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), REFRESH_MS)
    return () => clearInterval(timer)
  }, [reload])
  const removal = useChange()
  const alarms = data?.alarms ?? []
  const named = (key: string) => alarms.find(({ name }) => name === params.get(key)) ?? null
  const edited = named('edit')
  const shown = named('history')
  const isNew = params.get('new') !== null
  const open = (key: 'edit' | 'new' | 'history', value: string) =>
    setParams({ edit: null, new: null, history: null, ...NO_PROPOSAL, [key]: value })
  const close = () => setParams({ edit: null, new: null, history: null, ...NO_PROPOSAL })
  const saved = () => {
    close()
    reload()
  }
  return (
    <main className="settings-page" tabIndex={-1} aria-label="Alarms">
      <div className="settings-head">
        <h1>Alarms</h1>
        {!isNew && !edited && data && (
          <button type="button" className="button primary" onClick={() => open('new', '1')}>
            New alarm
          </button>
        )}
      </div>
      <p className="mute settings-intro">
        An alarm watches a metric of a node or an edge, or edges that come and go, over minutes that have
        settled. Changes of state go to its webhooks.
      </p>
      {error && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : 'Could not load the alarms'}
          onRetry={reload}
        />
      )}
      {!data && !error && <Loading what="alarms" slow={slow} />}
      {(isNew || edited) && data && (
        <AlarmForm
          key={edited?.name ?? params.get('of') ?? ''}
          alarm={edited}
          initial={proposed(params)}
          onSaved={saved}
          onCancel={close}
        />
      )}
      {shown && <AlarmHistory key={shown.name} name={shown.name} onClose={close} />}
      {removal.error && (
        <p className="field-error" role="alert">
          {errorWords(removal.error)}.
        </p>
      )}
      {data && (
        <AlarmTable
          alarms={alarms}
          onEdit={(name) => open('edit', name)}
          onHistory={(name) => open('history', name)}
          onDelete={async (name) => {
            if (await removal.run(() => deleteAlarm(name))) reload()
          }}
        />
      )}
    </main>
  )
}
