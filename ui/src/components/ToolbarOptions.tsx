// What the map shows and from when on it calls a service unhealthy.

import type { Thresholds } from '../model/health'
import type { MapOptions } from '../model/visibility'
import '../styles/toolbarOptions.css'

interface Props {
  view: 'map' | 'list'
  options: MapOptions
  onOptions(options: MapOptions): void
  onResetPositions(): void
}

export function ToolbarOptions({ view, options, onOptions, onResetPositions }: Props) {
  const check = (key: 'fold' | 'edgeNumbers' | 'hideIdle' | 'onlyUnhealthy', words: string) => (
    <label className="check">
      <input
        type="checkbox"
        checked={options[key]}
        onChange={(event) => onOptions({ ...options, [key]: event.target.checked })}
      />
      {words}
    </label>
  )
  return (
    <div className="options">
      {view === 'map' && check('fold', 'Fold functions and clients')}
      {view === 'map' && check('edgeNumbers', 'Numbers on edges')}
      {check('hideIdle', 'Hide services without traffic')}
      {check('onlyUnhealthy', 'Only unhealthy services')}
      <ThresholdFields
        thresholds={options.thresholds}
        onChange={(thresholds) => onOptions({ ...options, thresholds })}
      />
      {view === 'map' && (
        <button type="button" className="button" onClick={onResetPositions}>
          Reset positions
        </button>
      )}
    </div>
  )
}

interface ThresholdProps {
  thresholds: Thresholds
  onChange(thresholds: Thresholds): void
}

/** From when on a service counts as unhealthy, and a call as failing. */
function ThresholdFields({ thresholds, onChange }: ThresholdProps) {
  const { share, count } = thresholds
  return (
    <fieldset className="thresholds">
      <legend>Unhealthy from</legend>
      <label>
        <input
          type="number"
          min="0"
          max="100"
          step="0.5"
          value={Number((share * 100).toFixed(2))}
          onChange={(event) => onChange({ count, share: clamp(event.target.valueAsNumber, 0, 100) / 100 })}
        />{' '}
        % of requests
      </label>
      <label>
        <input
          type="number"
          min="1"
          max="100000"
          step="1"
          value={count}
          onChange={(event) => onChange({ share, count: clamp(event.target.valueAsNumber, 1, 100_000) })}
        />{' '}
        failing requests
      </label>
    </fieldset>
  )
}

function clamp(value: number, least: number, most: number): number {
  return Number.isFinite(value) ? Math.min(most, Math.max(least, value)) : least
}
