// Makes a link by which others see one page without signing in; where no one signs in, the page's own.

import { useState, type FormEvent } from 'react'
import { addresses, ApiError, send } from '../api/client'
import { errorWords } from '../components/Banner'
import { CopyButton } from '../components/CopyButton'
import { Icon } from '../components/Icon'
import { useSession } from '../components/useSession'
import { dateTime } from '../model/format'
import { subjectOf } from '../model/notebook'
import type { Shareable, ShareTarget } from '../model/share'
import { fixedLink } from '../model/url'
import { isFolded } from '../model/views'
import { AddToNotebook } from './AddToNotebook'
import { Link } from './router'
import '../styles/share.css'

interface Made {
  id: string
  path: string
  expires: number
}

const HOURS = [
  [1, '1 hour'],
  [24, '24 hours'],
  [168, '7 days'],
  [720, '30 days'],
] as const

const FORMATS = [
  ['png', 'PNG'],
  ['svg', 'SVG'],
] as const

export function ShareForm({ target, window, json, save }: Shareable) {
  const { session: data, error } = useSession()
  const isLive = window && !new URLSearchParams(location.search).has('from')
  const subject = subjectOf(target, window, location, isFolded())
  const link = window ? fixedLink(location.href, window) : `${location.origin}${location.pathname}`
  return (
    <div className="share-form">
      {data && !data.name && <Plain link={link} />}
      <div className="share-ways" role="group" aria-label="Copy or save">
        {data?.name && (
          <CopyButton text={link} label="Copy a link for those who sign in" words="Link" icon="link" />
        )}
        {isLive && (
          <CopyButton
            text={location.href}
            label="Copy a link whose time goes on"
            words="Live link"
            icon="link"
          />
        )}
        {save &&
          FORMATS.map(([format, word]) => (
            <button
              key={format}
              type="button"
              className="button"
              title={`Save as ${word}`}
              onClick={() => save(format)}
            >
              <Icon name="picture" size={14} /> {word}
            </button>
          ))}
        <a className="button" href={json} download={fileName(target)} title="Save as JSON">
          <Icon name="picture" size={14} /> JSON
        </a>
      </div>
      {data?.name && target && <Signed target={target} />}
      {error && <Failure error={error} />}
      {data?.name && target && <Link href="/shares">Manage share links</Link>}
      {subject && <AddToNotebook subject={subject} />}
    </div>
  )
}

function fileName(target: ShareTarget | undefined): string {
  if (!target) return 'traces.json'
  return 'map' in target ? 'service-map.json' : `${target.trace}.json`
}

/** What the holder of a link sees. */
function words(target: ShareTarget): string {
  return 'map' in target
    ? 'Everyone who has the link sees this map, at the time on the screen, with the details of its services and calls, but no traces.'
    : 'Everyone who has the link sees this trace with its log lines and documents, and no other trace.'
}

function Plain({ link }: { link: string }) {
  return (
    <>
      <LinkField link={link} />
      <p className="mute">
        This server requires no one to sign in: everyone who reaches it can open this page, and every other.
      </p>
    </>
  )
}

function Signed({ target }: { target: ShareTarget }) {
  const [hours, setHours] = useState(24)
  const [made, setMade] = useState<Made | null>(null)
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<unknown>(null)
  const run = async (work: () => Promise<Made | null>) => {
    setBusy(true)
    setError(null)
    try {
      setMade(await work())
    } catch (failure) {
      setError(failure)
    } finally {
      setBusy(false)
    }
  }
  const create = (event: FormEvent) => {
    event.preventDefault()
    void run(() => send<Made>('POST', addresses.shares(), { ...target, hours }))
  }
  if (made) {
    return (
      <>
        <LinkField link={location.origin + made.path} />
        <p role="status">Valid until {dateTime(made.expires)}.</p>
        <p className="mute">{words(target)}</p>
        <button
          type="button"
          className="button"
          disabled={busy}
          onClick={() => void run(() => send<Made>('DELETE', addresses.revokeShare(made.id)))}
        >
          Revoke
        </button>
        {error !== null && <Failure error={error} />}
      </>
    )
  }
  return (
    <form onSubmit={create}>
      <label>
        Valid for
        <select value={hours} onChange={(event) => setHours(Number(event.target.value))}>
          {HOURS.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <p className="mute">{words(target)}</p>
      <button type="submit" className="button primary" disabled={busy}>
        {busy ? 'Creating…' : 'Create link'}
      </button>
      {error !== null && <Failure error={error} />}
    </form>
  )
}

function LinkField({ link }: { link: string }) {
  return (
    <div className="share-link">
      <input
        className="mono"
        aria-label="Link"
        readOnly
        value={link}
        onFocus={(event) => event.target.select()}
      />
      <CopyButton text={link} label="Copy the link" words="Copy" />
    </div>
  )
}

function Failure({ error }: { error: unknown }) {
  return (
    <p className="field-error" role="alert">
      {error instanceof ApiError ? errorWords(error) : String(error)}.
    </p>
  )
}
