// Share links that are valid: who made them, what they open, until when, and the way to end them.

import { addresses, send } from '../api/client'
import { errorWords, FailureBanner } from '../components/Banner'
import { DeleteButton } from '../components/DeleteButton'
import { Loading } from '../components/Loading'
import { SettingsTable } from '../components/SettingsTable'
import { useSession } from '../components/useSession'
import { dateTime, span } from '../model/format'
import { mapWords, type SharedMap } from '../model/share'
import { href } from '../model/url'
import { Link } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import '../styles/tables.css'
import '../styles/forms.css'

interface ShareLine {
  id: string
  trace?: string
  map?: SharedMap
  by: string
  /** Epoch seconds, as `expires`. */
  created: number
  expires: number
}

export function SharesPage() {
  const { data, error, slow, reload } = useLiveQuery<{ shares: ShareLine[] }>(addresses.shares(), {
    key: 'shares',
  })
  const removal = useChange()
  const revoke = async (id: string) => {
    if (await removal.run(() => send('DELETE', addresses.revokeShare(id)))) reload()
  }
  return (
    <main className="settings-page" tabIndex={-1} aria-label="Share links">
      <div className="settings-head">
        <h1>Share links</h1>
      </div>
      <Introduction />
      {error && error.code !== 'NoAuthentication' && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : 'Could not load the links'}
          onRetry={reload}
        />
      )}
      {!data && !error && <Loading what="links" slow={slow} />}
      {removal.error && (
        <p className="field-error" role="alert">
          {errorWords(removal.error)}.
        </p>
      )}
      {data && <ShareTable shares={data.shares.toReversed()} onRevoke={revoke} />}
    </main>
  )
}

function Introduction() {
  const { session: data } = useSession()
  if (!data) return null
  return (
    <p className="mute settings-intro">
      {data.name === null
        ? 'This server requires no one to sign in: everyone who reaches it can open its pages, and there are no share links.'
        : `A link shows one trace, or the map of one window, to everyone who has it, until it expires. ${
            data.role === 'viewer' ? 'These are yours.' : 'These are those of all people and keys.'
          }`}
    </p>
  )
}

interface TableProps {
  /** The newest first. */
  shares: readonly ShareLine[]
  onRevoke(id: string): Promise<void>
}

function ShareTable({ shares, onRevoke }: TableProps) {
  if (shares.length === 0) {
    return (
      <p className="settings-empty">
        No links. <em>Share</em>, on a trace and over the map, makes one.
      </p>
    )
  }
  return (
    <SettingsTable
      label="Share links"
      columns={['Opens', 'Made by', 'Made', 'Expires', { hidden: 'Change' }]}
    >
      {shares.map((share) => (
        <tr key={share.id}>
          <td className="wrapped">
            <Opened share={share} />
          </td>
          <td data-label="by">{share.by}</td>
          <td data-label="made">{dateTime(share.created)}</td>
          <td data-label="expires">{dateTime(share.expires)}</td>
          <td className="actions">
            <DeleteButton what={name(share)} verb="Revoke" onDelete={() => onRevoke(share.id)} />
          </td>
        </tr>
      ))}
    </SettingsTable>
  )
}

/** Leads to the page itself: the link is shown once, when it is made. */
function Opened({ share: { trace, map } }: { share: ShareLine }) {
  if (trace) {
    return (
      <Link href={`/traces/${trace}`}>
        Trace <code>{trace}</code>
      </Link>
    )
  }
  if (!map) return null
  const { filter, account, region, environment } = map
  const narrowed = [environment, account, region].filter(Boolean).join(' · ')
  return (
    <>
      <Link href={href('/map', mapWords(map))}>Map of {span(map.from, map.to)}</Link>
      {(narrowed || filter) && (
        <div className="mute">
          {narrowed} {filter && <code>{filter}</code>}
        </div>
      )}
    </>
  )
}

function name({ id, by, trace }: ShareLine): string {
  return `the link of ${by} to ${trace ? `trace ${trace}` : 'a map'} (${id.slice(0, 6)})`
}
