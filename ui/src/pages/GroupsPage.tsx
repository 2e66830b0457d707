// Groups: names for filter expressions, for X-Ray's clients and for the filter bar.

import { useState, type FormEvent } from 'react'
import {
  createGroup,
  deleteGroup,
  memberOf,
  operations,
  updateGroup,
  type Group,
  type GroupsReply,
} from '../api/xray'
import { errorWords, FailureBanner } from '../components/Banner'
import { FormEnd } from '../components/FormEnd'
import { DeleteButton } from '../components/DeleteButton'
import { FormField } from '../components/FormField'
import { Loading } from '../components/Loading'
import { SettingsTable } from '../components/SettingsTable'
import { FilterBar } from '../filter/FilterBar'
import { quoted } from '../filter/quoted'
import { parseRange } from '../model/range'
import { href } from '../model/url'
import { MatchPreview } from './MatchPreview'
import { Link, setParams, useAddress } from './router'
import { useChange } from './useChange'
import { useLiveQuery } from './useLiveQuery'
import { useTimeWindow } from './useTimeWindow'
import '../styles/tables.css'
import '../styles/forms.css'

const MEMBERS = ['GroupName', 'FilterExpression'] as const

export function GroupsPage() {
  const { params } = useAddress()
  const { data, error, slow, reload } = useLiveQuery<GroupsReply>(operations.groups, {
    key: 'groups',
    isOperation: true,
  })
  const removal = useChange()
  const groups = data?.Groups ?? []
  const edited = groups.find(({ GroupName }) => GroupName === params.get('edit')) ?? null
  const isNew = params.get('new') !== null
  const close = () => setParams({ edit: null, new: null })
  const saved = () => {
    close()
    reload()
  }
  return (
    <main className="settings-page" tabIndex={-1} aria-label="Groups">
      <div className="settings-head">
        <h1>Groups</h1>
        {!isNew && !edited && data && (
          <button
            type="button"
            className="button primary"
            onClick={() => setParams({ new: '1', edit: null })}
          >
            New group
          </button>
        )}
      </div>
      <p className="mute settings-intro">
        A group names the traces that satisfy a filter expression. Use it in a filter as{' '}
        <code>group.name = "…"</code>, or as X-Ray's clients do.
      </p>
      {error && (
        <FailureBanner
          error={error}
          what={data ? 'Could not refresh' : 'Could not load the groups'}
          onRetry={reload}
        />
      )}
      {!data && !error && <Loading what="groups" slow={slow} />}
      {(isNew || edited) && data && (
        <GroupForm key={edited?.GroupName ?? ''} group={edited} onSaved={saved} onCancel={close} />
      )}
      {removal.error && (
        <p className="field-error" role="alert">
          {errorWords(removal.error)}.
        </p>
      )}
      {data && (
        <GroupTable
          groups={groups}
          onDelete={async (name) => {
            if (await removal.run(() => deleteGroup(name))) reload()
          }}
        />
      )}
    </main>
  )
}

interface TableProps {
  groups: readonly Group[]
  onDelete(name: string): Promise<void>
}

function GroupTable({ groups, onDelete }: TableProps) {
  return (
    <SettingsTable
      label="Groups"
      columns={['Name', 'Filter expression', 'Show', { hidden: 'Change' }]}
      note={
        groups.length <= 1 && (
          <p className="settings-empty">
            No groups yet. A first one could be <code>fault OR responsetime &gt; 2</code>.
          </p>
        )
      }
    >
      {groups.map(({ GroupName: name = '', FilterExpression: expression }) => (
        <tr key={name}>
          <td>
            <strong>{name}</strong>
          </td>
          <td className="wrapped">
            {expression ? (
              <code>{expression}</code>
            ) : (
              <span className="mute">{name === 'Default' ? 'every trace' : 'none: every trace'}</span>
            )}
          </td>
          <td className="actions">
            <Link href={href('/map', { filter: groupFilter(name) })} aria-label={`Map of ${name}`}>
              Map
            </Link>
            <Link href={href('/traces', { filter: groupFilter(name) })} aria-label={`Traces of ${name}`}>
              Traces
            </Link>
          </td>
          <td className="actions">
            {name !== 'Default' && (
              <>
                <button
                  type="button"
                  className="link"
                  aria-label={`Edit the group ${name}`}
                  onClick={() => setParams({ edit: name, new: null })}
                >
                  Edit
                </button>
                <DeleteButton what={`the group ${name}`} onDelete={() => onDelete(name)} />
              </>
            )}
          </td>
        </tr>
      ))}
    </SettingsTable>
  )
}

function groupFilter(name: string): string | null {
  return name === 'Default' ? null : `group.name = ${quoted(name)}`
}

interface FormProps {
  /** Null for a new one. */
  group: Group | null
  onSaved(): void
  onCancel(): void
}

function GroupForm({ group, onSaved, onCancel }: FormProps) {
  const { params } = useAddress()
  const [name, setName] = useState(group?.GroupName ?? '')
  const [text, setText] = useState(group?.FilterExpression ?? '')
  const { busy, error, run, forget } = useChange()
  const range = parseRange(params)
  const window = useTimeWindow(range, 0, false)
  const member = error ? memberOf(error.message, MEMBERS) : null
  const wrong = (one: (typeof MEMBERS)[number]) => (member === one ? error?.message : null)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const save = () => (group ? updateGroup(name, text.trim()) : createGroup(name.trim(), text.trim()))
    if (await run(save)) onSaved()
  }
  return (
    <form className="settings-form" aria-label={group ? `Edit ${name}` : 'New group'} onSubmit={submit}>
      <h2>{group ? `Edit ${name}` : 'New group'}</h2>
      <FormField
        label="Name"
        hint={group ? null : 'Letters, digits, - and _; at most 32. It cannot be changed later.'}
        error={wrong('GroupName')}
      >
        {(attributes) => (
          <input
            {...attributes}
            value={name}
            disabled={group !== null}
            ref={group ? undefined : focused}
            spellCheck={false}
            autoComplete="off"
            onChange={(event) => (setName(event.target.value), forget())}
          />
        )}
      </FormField>
      <div className="form-field">
        <span className="form-label">Filter expression</span>
        <FilterBar
          filter={group?.FilterExpression ?? ''}
          window={window}
          error={null}
          isField
          onText={(next) => (setText(next), forget())}
          onFilter={setText}
        />
        {member === 'FilterExpression' && (
          <p className="field-error" role="alert">
            {error?.message}
          </p>
        )}
      </div>
      <MatchPreview expression={text} window={window} range={range} />
      <FormEnd
        words={group ? 'Save' : 'Create group'}
        busy={busy}
        error={member === null ? error : null}
        onCancel={onCancel}
      />
    </form>
  )
}

const focused = (field: HTMLInputElement | null) => field?.focus()
