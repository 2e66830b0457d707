// Where the map is among the levels of groups, and by what these are made.

import type { ServiceMap } from '../api/types'
import { BOX_CHOICES, CHOICE_WORDS, type BoxChoice } from '../model/boxes'
import { count } from '../model/format'

interface Props {
  data: ServiceMap
  chosen: BoxChoice
  onLevel(path: string[]): void
  onChoose(by: BoxChoice): void
}

export function BoxBar({ data, chosen, onLevel, onChoose }: Props) {
  const { by, trail, edges_left_out: hidden } = data.boxes ?? { by: null, trail: [], edges_left_out: 0 }
  const path = trail.map(({ id }) => id)
  const total = `${count(data.total_nodes)} nodes`
  return (
    <nav className="box-bar" aria-label="Groups">
      <ol>
        {trail.length > 0 && (
          <li>
            <button type="button" className="link" onClick={() => onLevel([])}>
              All services
            </button>
          </li>
        )}
        {trail.map(({ id, name }, index) => (
          <li key={id} aria-current={index === trail.length - 1 ? 'page' : undefined}>
            {index === trail.length - 1 ? (
              <strong>{name}</strong>
            ) : (
              <button type="button" className="link" onClick={() => onLevel(path.slice(0, index + 1))}>
                {name}
              </button>
            )}
          </li>
        ))}
        <li
          className="mute"
          title={
            hidden > 0
              ? `${count(hidden)} pairs of groups with few calls are drawn without a line`
              : undefined
          }
        >
          {by ? `${count(data.nodes.length)} groups of ${total}` : total}
        </li>
      </ol>
      {trail.length === 0 && (
        <label>
          <span className="mute">by</span>
          <select
            aria-label="Groups by"
            value={chosen}
            onChange={(event) => onChoose(event.target.value as BoxChoice)}
          >
            {BOX_CHOICES.map((one) => (
              <option key={one} value={one}>
                {one === 'auto' && by ? `Automatic: ${CHOICE_WORDS[by].toLowerCase()}` : CHOICE_WORDS[one]}
              </option>
            ))}
          </select>
        </label>
      )}
      {trail.length > 0 && by && <span className="mute">by {CHOICE_WORDS[by].toLowerCase()}</span>}
    </nav>
  )
}
