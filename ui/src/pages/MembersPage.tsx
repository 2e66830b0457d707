// Members: who signs in with a password, with which role.

import { useState, type FormEvent } from 'react'
import {
  addMember,
  adminAddresses,
  changeRole,
  removeMember,
  resetPassword,
  signMemberOut,
  type MemberLine,
  type MemberList,
  type MemberPassword,
} from '../api/admin'
import type { Session } from '../api/client'
import { memberOf } from '../api/xray'
import { DeleteButton } from '../components/DeleteButton'
import { FormEnd } from '../components/FormEnd'
import { SettingsTable } from '../components/SettingsTable'
import { ShownOnce } from '../components/ShownOnce'
import { MEMBER_ROLES } from '../model/admin'
import { date } from '../model/format'
import { AdminHead, ChoiceField, tenantChoices, TextField } from './AdminParts'
import { setParams, useAddress } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import { useTenantNames } from './useTenantNames'

const MEMBERS = ['name', 'role', 'tenant'] as const

export function MembersPage({ session }: { session: Session }) {
  const { params } = useAddress()
  const query = useLiveQuery<MemberList>(adminAddresses.members, { key: 'members' })
  const tenants = useTenantNames(session)
  const [made, setMade] = useState<MemberPassword | null>(null)
  const change = useChange()
  const members = query.data?.members ?? []
  const edited = members.find(({ name }) => name === params.get('edit')) ?? null
  const isNew = params.get('new') !== null
  const open = (key: 'new' | 'edit', value: string) => {
    setMade(null)
    setParams({ new: null, edit: null, [key]: value })
  }
  const close = () => setParams({ new: null, edit: null })
  const saved = (password: MemberPassword | null) => {
    setMade(password)
    close()
    query.reload()
  }
  const run = async (work: () => Promise<unknown>) => {
    if (await change.run(work)) query.reload()
  }
  return (
    <>
      <AdminHead
        title="Members"
        what="members"
        intro="People who sign in with a name and a password. Whom OpenID Connect or a proxy signs in is not listed: their role comes from there."
        query={query}
        refused={change.error}
        add={isNew || edited ? null : { words: 'Add member', onClick: () => open('new', '1') }}
      />
      {made && (
        <ShownOnce
          title={`Password of ${made.name}`}
          secrets={[{ label: 'Password', value: made.password }]}
          onDone={() => setMade(null)}
        >
          Pass it on by a way that others do not read.
        </ShownOnce>
      )}
      {(isNew || edited) && query.data && (
        <MemberForm
          key={edited?.name ?? ''}
          member={edited}
          tenants={tenants}
          onSaved={saved}
          onCancel={close}
        />
      )}
      {query.data && (
        <MemberTable
          members={members}
          showTenant={tenants.length > 0}
          you={session.via === 'session' ? session.name : null}
          onEdit={(name) => open('edit', name)}
          onReset={(name) => run(async () => setMade(await resetPassword(name)))}
          onSignOut={(name) => run(() => signMemberOut(name))}
          onRemove={(name) => run(() => removeMember(name))}
        />
      )}
    </>
  )
}

interface TableProps {
  members: readonly MemberLine[]
  showTenant: boolean
  you: string | null
  onEdit(name: string): void
  onReset(name: string): Promise<void>
  onSignOut(name: string): Promise<void>
  onRemove(name: string): Promise<void>
}

function MemberTable({ members, showTenant, you, onEdit, onReset, onSignOut, onRemove }: TableProps) {
  if (members.length === 0)
    return (
      <p className="settings-empty">No members: everyone here signs in by another provider, or with a key.</p>
    )
  return (
    <SettingsTable
      label="Members"
      columns={['Name', 'Role', ...(showTenant ? ['Tenant'] : []), { extra: 'Added' }, { hidden: 'Change' }]}
    >
      {members.map(({ name, role, tenant, created }) => (
        <tr key={name}>
          <td className="name-cell">
            <strong>{name}</strong>
            {name === you && <span className="you">you</span>}
          </td>
          <td>{role}</td>
          {showTenant && <td data-label="tenant">{tenant || <span className="mute">default</span>}</td>}
          <td className="is-extra" data-label="added">
            {date(created)}
          </td>
          <td className="actions">
            <button
              type="button"
              className="link"
              aria-label={`Change role of ${name}`}
              onClick={() => onEdit(name)}
            >
              Change role
            </button>
            <DeleteButton
              what={`of ${name}`}
              verb="Reset password"
              keep="Cancel"
              onDelete={() => onReset(name)}
            />
            <DeleteButton
              what={`${name} everywhere`}
              verb="Sign out"
              keep="Cancel"
              onDelete={() => onSignOut(name)}
            />
            <DeleteButton what={name} verb="Remove" onDelete={() => onRemove(name)} />
          </td>
        </tr>
      ))}
    </SettingsTable>
  )
}

interface FormProps {
  /** Null for a new one. */
  member: MemberLine | null
  tenants: readonly string[]
  onSaved(password: MemberPassword | null): void
  onCancel(): void
}

function MemberForm({ member, tenants, onSaved, onCancel }: FormProps) {
  const [form, setForm] = useState({ name: '', role: member?.role ?? 'viewer', tenant: '' })
  const { busy, error, run, forget } = useChange()
  const wrong = error ? memberOf(error.message, MEMBERS) : null
  const problem = (one: (typeof MEMBERS)[number]) => (wrong === one ? error?.message : null)
  const set = (more: Partial<Record<keyof typeof form, string>>) => {
    setForm({ ...form, ...more } as typeof form)
    forget()
  }
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    let password: MemberPassword | null = null
    const save = async () => {
      if (member) await changeRole(member.name, form.role)
      else password = await addMember({ ...form, name: form.name.trim() })
    }
    if (await run(save)) onSaved(password)
  }
  const choices = tenantChoices(tenants)
  const title = member ? `Change role of ${member.name}` : 'Add member'
  return (
    <form className="settings-form" aria-label={title} onSubmit={submit}>
      <h2>{title}</h2>
      <div className="form-row">
        {!member && (
          <TextField
            label="Name"
            value={form.name}
            hint="With which they sign in. It cannot be changed later."
            error={problem('name')}
            isFirst
            onChange={(name) => set({ name })}
          />
        )}
        <ChoiceField
          label="Role"
          value={form.role}
          choices={MEMBER_ROLES}
          hint={member && 'It counts at once.'}
          error={problem('role')}
          isFirst={member !== null}
          onChange={(role) => set({ role })}
        />
        {!member && choices && (
          <ChoiceField
            label="Tenant"
            value={form.tenant}
            choices={choices}
            hint="Whose traces they see."
            error={problem('tenant')}
            onChange={(tenant) => set({ tenant })}
          />
        )}
      </div>
      {!member && <p className="mute form-note">A password is made, and shown once.</p>}
      <FormEnd
        words={member ? 'Save' : 'Add member'}
        busy={busy}
        error={wrong === null ? error : null}
        onCancel={onCancel}
      />
    </form>
  )
}
