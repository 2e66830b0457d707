// The groups that a filter can name; read when the list opens.

import { useQuery } from '@tanstack/react-query'
import { ApiError, fetchJson } from '../api/client'
import { operations, type GroupsReply } from '../api/xray'
import { errorWords } from '../components/Banner'
import { quoted } from './quoted'
import { both } from './tokens'
import '../styles/groupChoices.css'

interface Props {
  filter: string
  /** Called with the filter and `group.name = "…"`. */
  onChoose(filter: string): void
}

export default function GroupChoices({ filter, onChoose }: Props) {
  const { data, error } = useQuery({
    queryKey: ['group choices'],
    queryFn: ({ signal }) => fetchJson<GroupsReply>(operations.groups, signal, {}),
    staleTime: 0,
    retry: false,
  })
  const groups = (data?.Groups ?? []).filter(({ GroupName }) => GroupName !== 'Default')
  return (
    <div className="group-choices">
      {error && (
        <p role="status">No groups: {error instanceof ApiError ? errorWords(error) : String(error)}.</p>
      )}
      {!data && !error && <p role="status">Loading groups…</p>}
      {data && groups.length === 0 && (
        <p className="mute" role="status">
          No groups yet.
        </p>
      )}
      {groups.map(({ GroupName: name = '', FilterExpression: expression }) => (
        <button
          key={name}
          type="button"
          title={expression}
          onClick={() => onChoose(both(filter, `group.name = ${quoted(name)}`))}
        >
          <strong>{name}</strong> <span className="mute mono">{expression}</span>
        </button>
      ))}
      <a href="/groups">Edit groups</a>
    </div>
  )
}
