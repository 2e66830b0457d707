// API keys: of senders and of programs that read.

import { useState, type FormEvent } from 'react'
import {
  addKey,
  adminAddresses,
  revokeKey,
  rotateKey,
  type IssuedKey,
  type KeyLine,
  type KeyList,
} from '../api/admin'
import type { Session } from '../api/client'
import { memberOf } from '../api/xray'
import { DeleteButton } from '../components/DeleteButton'
import { FormEnd } from '../components/FormEnd'
import { SettingsTable } from '../components/SettingsTable'
import { ShownOnce } from '../components/ShownOnce'
import { hasEnded, keyState, limitWords, numberOf, ROLES, sizeOf } from '../model/admin'
import { date } from '../model/format'
import { AdminHead, ChoiceField, tenantChoices, TextField } from './AdminParts'
import { setParams, useAddress } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import { useTenantNames } from './useTenantNames'

const MEMBERS = [
  ...(['name', 'role', 'tenant', 'expires_days'] as const),
  ...(['documents_per_second', 'names_per_minute', 'bytes_per_day'] as const),
] as const
const NEW = {
  name: '',
  role: 'ingest',
  tenant: '',
  expires_days: '0',
  documents_per_second: '',
  names_per_minute: '',
  bytes_per_day: '',
}
type Form = typeof NEW

const LIFETIMES = { '0': 'never', '30': 'in 30 days', '90': 'in 90 days', '365': 'in a year' }

interface Made {
  key: IssuedKey
  /** The name of the one that is replaced. */
  replaces: string | null
}

export function KeysPage({ session }: { session: Session }) {
  const { params } = useAddress()
  const query = useLiveQuery<KeyList>(adminAddresses.keys, { key: 'keys' })
  const tenants = useTenantNames(session)
  const [made, setMade] = useState<Made | null>(null)
  const change = useChange()
  const isNew = params.get('new') !== null
  const close = () => setParams({ new: null })
  const saved = (key: IssuedKey) => {
    setMade({ key, replaces: null })
    close()
    query.reload()
  }
  const run = async (work: () => Promise<unknown>) => {
    if (await change.run(work)) query.reload()
  }
  const rotate = async ({ id, name }: KeyLine) => {
    const key = await rotateKey(id)
    if (key) setMade({ key, replaces: name })
  }
  return (
    <>
      <AdminHead
        title="API keys"
        what="keys"
        intro="SDKs, daemons and collectors send with a key, and programs read with one. A process knows of a change within two seconds."
        query={query}
        refused={change.error}
        add={isNew ? null : { words: 'New key', onClick: () => (setMade(null), setParams({ new: '1' })) }}
      />
      {made && <Secrets made={made} onDone={() => setMade(null)} />}
      {isNew && query.data && <KeyForm tenants={tenants} onSaved={saved} onCancel={close} />}
      {query.data && (
        <KeyTable
          keys={query.data.keys}
          showTenant={tenants.length > 0}
          onRotate={(key) => run(() => rotate(key))}
          onRevoke={({ id }) => run(() => revokeKey(id))}
        />
      )}
    </>
  )
}

function Secrets({ made: { key, replaces }, onDone }: { made: Made; onDone(): void }) {
  const secrets = [
    { label: 'Token: for Authorization: Bearer, or x-api-key', value: key.token },
    { label: 'AWS_ACCESS_KEY_ID', value: key.access_key_id },
    { label: 'AWS_SECRET_ACCESS_KEY', value: key.secret_access_key },
  ]
  return (
    <ShownOnce
      title={replaces === null ? 'The new key' : `The new key in place of ${replaces}`}
      secrets={secrets}
      onDone={onDone}
    >
      Token and access key are one key in two forms: the second is for X-Ray's SDKs and daemons, boto3 and the
      AWS CLI.{replaces !== null && ' The old one is accepted for 24 hours more.'}
    </ShownOnce>
  )
}

interface TableProps {
  keys: readonly KeyLine[]
  showTenant: boolean
  onRotate(key: KeyLine): Promise<void>
  onRevoke(key: KeyLine): Promise<void>
}

function KeyTable({ keys, showTenant, onRotate, onRevoke }: TableProps) {
  const [withEnded, setWithEnded] = useState(false)
  const [now] = useState(() => Date.now() / 1000)
  const valid = keys.filter((key) => !hasEnded(key, now))
  const ended = keys.filter((key) => hasEnded(key, now))
  if (keys.length === 0)
    return (
      <p className="settings-empty">No keys yet. Each sender gets one of its own, with the role ingest.</p>
    )
  return (
    <SettingsTable
      label="API keys"
      columns={[
        'Name',
        'Role',
        ...(showTenant ? ['Tenant'] : []),
        'Id',
        { extra: 'Made' },
        'State',
        { hidden: 'Change' },
      ]}
      note={
        <div className="table-foot">
          {valid.length === 0 && <span className="mute">No key is valid.</span>}
          {ended.length > 0 && (
            <label className="check">
              <input
                type="checkbox"
                checked={withEnded}
                onChange={({ target }) => setWithEnded(target.checked)}
              />
              Show {ended.length} that ended
            </label>
          )}
        </div>
      }
    >
      {[...valid, ...(withEnded ? ended : [])].map((key) => (
        <tr key={key.id} className={hasEnded(key, now) ? 'is-ended' : undefined}>
          <td className="name-cell">
            <strong>{key.name}</strong>
            {key.limits && <p className="mute">at most {limitWords(key.limits)}</p>}
          </td>
          <td>{key.role}</td>
          {showTenant && <td data-label="tenant">{key.tenant || <span className="mute">default</span>}</td>}
          <td>
            <code>{key.id}</code>
          </td>
          <td className="is-extra" data-label="made">
            {date(key.created)}
          </td>
          <td>{keyState(key, now)}</td>
          <td className="actions">
            {!hasEnded(key, now) && (
              <>
                <DeleteButton
                  what={`the key ${key.name} (${key.id})`}
                  verb="Rotate"
                  keep="Cancel"
                  onDelete={() => onRotate(key)}
                />
                <DeleteButton
                  what={`the key ${key.name} (${key.id})`}
                  verb="Revoke"
                  onDelete={() => onRevoke(key)}
                />
              </>
            )}
          </td>
        </tr>
      ))}
    </SettingsTable>
  )
}

interface FormProps {
  tenants: readonly string[]
  onSaved(key: IssuedKey): void
  onCancel(): void
}

function KeyForm({ tenants, onSaved, onCancel }: FormProps) {
  const [form, setForm] = useState<Form>(NEW)
  const { busy, error, run, forget } = useChange()
  const wrong = error ? memberOf(error.message, MEMBERS) : null
  const field = (one: keyof Form) => ({
    value: form[one],
    error: wrong === one ? error?.message : null,
    onChange: (value: string) => (setForm({ ...form, [one]: value }), forget()),
  })
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    let key: IssuedKey | null = null
    if ((await run(async () => (key = await addKey(bodyOf(form))))) && key) onSaved(key)
  }
  const choices = tenantChoices(tenants)
  return (
    <form className="settings-form" aria-label="New key" onSubmit={submit}>
      <h2>New key</h2>
      <div className="form-row">
        <TextField label="Name" hint="Whose it is, for people." isFirst {...field('name')} />
        <ChoiceField label="Role" choices={ROLES} {...field('role')} />
        {choices && <ChoiceField label="Tenant" choices={choices} {...field('tenant')} />}
        <ChoiceField label="Expires" choices={LIFETIMES} {...field('expires_days')} />
      </div>
      <fieldset>
        <legend>
          Limits <span className="mute">of each process; empty: none</span>
        </legend>
        <div className="form-row">
          <TextField label="Documents per second" numeric {...field('documents_per_second')} />
          <TextField label="New names per minute" numeric {...field('names_per_minute')} />
          <TextField label="Bytes per day" hint="like 2G or 500M" {...field('bytes_per_day')} />
        </div>
      </fieldset>
      <FormEnd words="Create key" busy={busy} error={wrong === null ? error : null} onCancel={onCancel} />
    </form>
  )
}

function bodyOf({ name, role, tenant, ...rest }: Form): object {
  return {
    name: name.trim(),
    role,
    tenant,
    expires_days: numberOf(rest.expires_days),
    documents_per_second: numberOf(rest.documents_per_second),
    names_per_minute: numberOf(rest.names_per_minute),
    bytes_per_day: sizeOf(rest.bytes_per_day || '0'),
  }
}
