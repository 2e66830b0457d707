// The audit log: who did what, from where, the newest first.

import { adminAddresses, type AuditEvent, type AuditPage as Page } from '../api/admin'
import { SettingsTable } from '../components/SettingsTable'
import { dateTime } from '../model/format'
import { AdminHead } from './AdminParts'
import { Link, useAddress } from './router'
import { useLiveQuery } from './useLiveQuery'

export function AuditPage() {
  const { params } = useAddress()
  const before = params.get('before')
  const query = useLiveQuery<Page>(adminAddresses.audit(before), { key: 'audit', variant: before ?? '' })
  const { data } = query
  return (
    <>
      <AdminHead
        title="Audit log"
        what="audit log"
        intro="Sign-ins, refused ones too, and every change of what people configure, by whom and from where. Events expire after 400 days."
        query={query}
      />
      {data && data.events.length === 0 && (
        <p className="settings-empty">Nothing is recorded{before ? ' before that' : ' yet'}.</p>
      )}
      {data && data.events.length > 0 && (
        <SettingsTable
          label="Audit log"
          columns={['Time', 'Who', 'From', 'What', 'Outcome']}
          note={
            <div className="table-foot">
              {before && <Link href="/audit">Newest</Link>}
              {data.before !== null && <Link href={`/audit?before=${data.before}`}>Older</Link>}
            </div>
          }
        >
          {data.events.map((one, index) => (
            <Row key={`${one.at} ${index}`} event={one} />
          ))}
        </SettingsTable>
      )}
    </>
  )
}

function Row({ event: { at, actor, via, address, action, target, outcome } }: { event: AuditEvent }) {
  const isOk = outcome === 'ok'
  return (
    <tr>
      <td>{dateTime(at / 1e6)}</td>
      <td>
        {actor || <span className="mute">–</span>} {via !== 'none' && <span className="mute">{via}</span>}
      </td>
      <td>{address || <span className="mute">–</span>}</td>
      <td className="name-cell">{action === 'change' ? target : `${action} ${target}`}</td>
      <td className={isOk ? 'mute is-ok' : 'field-error'}>{outcome}</td>
    </tr>
  )
}
