// What the map's nodes are split by.

import { DIMENSIONS, type Dimension } from '../model/grouping'

interface Props {
  by: Dimension | null
  onChoose(by: Dimension | null): void
}

export function GroupBy({ by, onChoose }: Props) {
  return (
    <label className="group-by">
      <span className="mute">Group by</span>
      <select
        className={by ? 'is-on' : undefined}
        title="Split each service by what its requests reported"
        value={by ?? ''}
        onChange={(event) => onChoose(DIMENSIONS.find((one) => one === event.target.value) ?? null)}
      >
        <option value="">Service</option>
        {DIMENSIONS.map((one) => (
          <option key={one} value={one}>
            {one[0]!.toUpperCase() + one.slice(1)}
          </option>
        ))}
      </select>
    </label>
  )
}
