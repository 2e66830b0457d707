// The settings of the server, read-only: what applies, and where it comes from.

import { useState } from 'react'
import { adminAddresses, type ServerSettings, type SettingLine } from '../api/admin'
import { SettingsTable } from '../components/SettingsTable'
import { settingWords } from '../model/admin'
import { AdminHead } from './AdminParts'
import { useLiveQuery } from './useLiveQuery'

export function SettingsPage() {
  const query = useLiveQuery<ServerSettings>(adminAddresses.settings, { key: 'settings' })
  const [changedOnly, setChangedOnly] = useState(false)
  const isShown = ({ source }: SettingLine) => !changedOnly || source !== 'default'
  const groups = (query.data?.groups ?? [])
    .map(({ title, settings }) => ({ title, settings: settings.filter(isShown) }))
    .filter(({ settings }) => settings.length > 0)
  return (
    <>
      <AdminHead
        title="Settings"
        what="settings"
        intro={
          <>
            What applies on this server{query.data && ` (Raymap ${query.data.version})`}. Options of the
            command override environment variables, which override the file; a change takes a restart.
            Retention is stored in the database, and <code>raymap retention</code> changes it.
          </>
        }
        query={query}
      />
      {query.data && (
        <label className="check">
          <input
            type="checkbox"
            checked={changedOnly}
            onChange={({ target }) => setChangedOnly(target.checked)}
          />
          Only what is not the default
        </label>
      )}
      {query.data && groups.length === 0 && (
        <p className="settings-empty">Everything is as it is by default.</p>
      )}
      {groups.map(({ title, settings }) => (
        <section className="settings-group" key={title} aria-label={title}>
          <h2>{title}</h2>
          <SettingsTable label={title} columns={['Setting', 'Value', 'From']}>
            {settings.map((one) => (
              <Row key={one.name} setting={one} />
            ))}
          </SettingsTable>
        </section>
      ))}
    </>
  )
}

function Row({ setting }: { setting: SettingLine }) {
  const { words, isSet } = settingWords(setting)
  const isChanged = setting.source !== 'default'
  return (
    <tr>
      <td className="name-cell">
        <strong>{setting.name}</strong>
        {setting.help && <p className="mute">{setting.help}</p>}
      </td>
      <td className="wrapped">{isSet ? <code>{words}</code> : <span className="mute">{words}</span>}</td>
      <td className={isChanged ? 'setting-source is-set' : 'setting-source'}>{setting.source}</td>
    </tr>
  )
}
