// Tenants: what each has stored, its limits, and its end.

import { useState, type FormEvent } from 'react'
import {
  addTenant,
  adminAddresses,
  deleteTenant,
  limitTenant,
  type AddedTenant,
  type TenantLine,
  type TenantList,
} from '../api/admin'
import { memberOf } from '../api/xray'
import { FormEnd } from '../components/FormEnd'
import { SettingsTable } from '../components/SettingsTable'
import { limitWords, numberOf, sizeOf, sizeText } from '../model/admin'
import { bytes, count, date } from '../model/format'
import { AdminHead, TextField } from './AdminParts'
import { Link, setParams, useAddress } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'

const MEMBERS = ['name', 'retention_days', 'documents_per_second', 'bytes_per_day'] as const

export function TenantsPage() {
  const { params } = useAddress()
  const query = useLiveQuery<TenantList>(adminAddresses.tenants, { key: 'tenants' })
  const [added, setAdded] = useState<AddedTenant | null>(null)
  const tenants = query.data?.tenants ?? []
  const named = (key: string) => tenants.find((one) => !one.default && one.name === params.get(key)) ?? null
  const [edited, removed, isNew] = [named('edit'), named('delete'), params.get('new') !== null]
  const open = (key: 'new' | 'edit' | 'delete', value: string) => {
    setAdded(null)
    setParams({ new: null, edit: null, delete: null, [key]: value })
  }
  const close = () => setParams({ new: null, edit: null, delete: null })
  const saved = (tenant: AddedTenant | null) => {
    setAdded(tenant)
    close()
    query.reload()
  }
  return (
    <>
      <AdminHead
        title="Tenants"
        what="tenants"
        intro="Teams or customers of whom none sees anything of another: each has a database of its own, in the same processes. Without any there is the default one alone."
        query={query}
        add={isNew || edited || removed ? null : { words: 'New tenant', onClick: () => open('new', '1') }}
      />
      {added && <Added tenant={added} />}
      {(isNew || edited) && query.data && (
        <TenantForm key={edited?.name ?? ''} tenant={edited} onSaved={saved} onCancel={close} />
      )}
      {removed && (
        <Deletion key={removed.name} tenant={removed} onDeleted={() => saved(null)} onCancel={close} />
      )}
      {query.data && (
        <TenantTable
          tenants={tenants}
          onEdit={(name) => open('edit', name)}
          onDelete={(name) => open('delete', name)}
        />
      )}
    </>
  )
}

function Added({ tenant: { name, new: isNew, note } }: { tenant: AddedTenant }) {
  return (
    <div className="notice" role="status">
      <p>
        <strong>{name}</strong> {isNew ? 'is ready' : 'existed already, and is complete now'}. It needs a
        first <Link href="/members?new=1">member</Link> and <Link href="/keys?new=1">keys</Link>.
      </p>
      {note && <p className="mute">ClickHouse has no user of its own for it: {note}</p>}
    </div>
  )
}

interface TableProps {
  tenants: readonly TenantLine[]
  onEdit(name: string): void
  onDelete(name: string): void
}

function TenantTable({ tenants, onEdit, onDelete }: TableProps) {
  return (
    <SettingsTable
      label="Tenants"
      columns={[
        'Name',
        { extra: 'Added' },
        { numeric: 'Traces' },
        { numeric: 'Documents' },
        { numeric: 'Last 24 h' },
        { numeric: 'On disk' },
        { hidden: 'Change' },
      ]}
    >
      {tenants.map((one) => (
        <tr key={one.name} className={one.deleting ? 'is-ended' : undefined}>
          <td className="name-cell">
            <strong>{one.name}</strong>
            {one.deleting && <span className="you">being deleted</span>}
            {one.limits && <p className="mute">at most {limitWords(one.limits)}</p>}
          </td>
          <td className="is-extra" data-label="added">
            {one.created === null ? <span className="mute">–</span> : date(one.created)}
          </td>
          <td className="numeric" data-label="traces">
            {count(one.traces)}
          </td>
          <td className="numeric" data-label="documents">
            {count(one.documents)}
          </td>
          <td className="numeric" data-label="24 h">
            {count(one.last_day)}
          </td>
          <td className="numeric" data-label="on disk">
            {one.bytes === null ? '–' : bytes(one.bytes)}
          </td>
          <td className="actions">
            {!one.default && !one.deleting && (
              <button
                type="button"
                className="link"
                aria-label={`Change the limits of ${one.name}`}
                onClick={() => onEdit(one.name)}
              >
                Limits
              </button>
            )}
            {!one.default && (
              <button
                type="button"
                className="link"
                aria-label={`Delete the tenant ${one.name}`}
                onClick={() => onDelete(one.name)}
              >
                Delete
              </button>
            )}
          </td>
        </tr>
      ))}
    </SettingsTable>
  )
}

interface FormProps {
  /** Null for a new one. */
  tenant: TenantLine | null
  onSaved(tenant: AddedTenant | null): void
  onCancel(): void
}

function TenantForm({ tenant, onSaved, onCancel }: FormProps) {
  const [form, setForm] = useState({
    name: '',
    retention_days: '',
    documents_per_second: String(tenant?.limits?.documents_per_second ?? ''),
    bytes_per_day: sizeText(tenant?.limits?.bytes_per_day),
  })
  const { busy, error, run, forget } = useChange()
  const wrong = error ? memberOf(error.message, MEMBERS) : null
  const field = (one: keyof typeof form) => ({
    value: form[one],
    error: wrong === one ? error?.message : null,
    onChange: (value: string) => (setForm({ ...form, [one]: value }), forget()),
  })
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const limits = {
      documents_per_second: numberOf(form.documents_per_second),
      bytes_per_day: sizeOf(form.bytes_per_day || '0'),
    }
    const days = form.retention_days.trim() && { retention_days: numberOf(form.retention_days) }
    let added: AddedTenant | null = null
    const save = async () => {
      if (tenant) await limitTenant(tenant.name, limits)
      else added = await addTenant({ name: form.name.trim(), ...days, ...limits })
    }
    if (await run(save)) onSaved(added)
  }
  const title = tenant ? `Limits of ${tenant.name}` : 'New tenant'
  return (
    <form className="settings-form" aria-label={title} onSubmit={submit}>
      <h2>{title}</h2>
      <div className="form-row">
        {!tenant && (
          <>
            <TextField
              label="Name"
              hint="Lower-case letters, digits, hyphens; at most 40. It cannot be changed later."
              isFirst
              {...field('name')}
            />
            <TextField
              label="Retention in days"
              hint="of its traces; empty: 30"
              numeric
              {...field('retention_days')}
            />
          </>
        )}
        <TextField
          label="Documents per second"
          hint="of each process; empty: any number"
          numeric
          isFirst={tenant !== null}
          {...field('documents_per_second')}
        />
        <TextField
          label="Bytes per day"
          hint="of each process, like 5G; empty: any number"
          {...field('bytes_per_day')}
        />
      </div>
      <FormEnd
        words={tenant ? 'Save' : 'Create tenant'}
        busy={busy}
        error={wrong === null ? error : null}
        onCancel={onCancel}
      />
    </form>
  )
}

interface DeletionProps {
  tenant: TenantLine
  onDeleted(): void
  onCancel(): void
}

/** There is no way back, so the name has to be typed. */
function Deletion({ tenant: { name, traces, bytes: size }, onDeleted, onCancel }: DeletionProps) {
  const [typed, setTyped] = useState('')
  const { busy, error, run } = useChange()
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (typed.trim() === name && (await run(() => deleteTenant(name)))) onDeleted()
  }
  return (
    <form className="settings-form" aria-label={`Delete ${name}`} onSubmit={submit}>
      <h2>Delete {name} for good?</h2>
      <p>
        Its database{traces !== null && size !== null && ` (${count(traces)} traces, ${bytes(size)})`},
        journals, keys, members and share links are removed. There is no way back, but a backup.
      </p>
      <TextField label={`Type ${name} to confirm`} value={typed} isFirst onChange={setTyped} />
      <FormEnd
        words={`Delete ${name}`}
        busyWords="Deleting…"
        danger
        disabled={typed.trim() !== name}
        busy={busy}
        error={error}
        onCancel={onCancel}
      />
    </form>
  )
}
