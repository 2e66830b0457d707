// The map's controls, top right.

import type { Thresholds } from '../model/health'
import type { MapOptions } from '../model/visibility'
import { Icon, type IconName } from './Icon'
import { Popover } from './Popover'

interface Props {
  view: 'map' | 'list'
  options: MapOptions
  outdated: boolean
  onZoom(factor: number): void
  onFit(): void
  onArrange(): void
  onResetPositions(): void
  onView(view: 'map' | 'list'): void
  onOptions(options: MapOptions): void
  onSavePng(): void
  onKeys(): void
}

export function Toolbar(props: Props) {
  const { view, outdated } = props
  const isMap = view === 'map'
  return (
    <div className="toolbar" role="toolbar" aria-label="Map tools">
      {isMap && (
        <>
          <Tool icon="plus" label="Zoom in" hint="+" onClick={() => props.onZoom(1.3)} />
          <Tool icon="minus" label="Zoom out" hint="−" onClick={() => props.onZoom(1 / 1.3)} />
          <Tool icon="fit" label="Fit to window" hint="0" onClick={props.onFit} />
          <Tool
            icon="arrange"
            label={outdated ? 'Arrange again: a tidier layout is ready' : 'Arrange again'}
            hint="A"
            marked={outdated}
            onClick={props.onArrange}
          />
        </>
      )}
      <Tool
        icon={isMap ? 'list' : 'map'}
        label={isMap ? 'Show as a list' : 'Show as a map'}
        onClick={() => props.onView(isMap ? 'list' : 'map')}
      />
      <Popover className="tool" label="Options" button={<Icon name="options" />}>
        {(close) => <Options {...props} onResetPositions={() => (props.onResetPositions(), close())} />}
      </Popover>
      {isMap && <Tool icon="picture" label="Save as PNG" onClick={props.onSavePng} />}
      {isMap && <Tool icon="keys" label="Keyboard shortcuts" hint="?" onClick={props.onKeys} />}
    </div>
  )
}

interface ToolProps {
  icon: IconName
  label: string
  hint?: string
  marked?: boolean
  onClick(): void
}

function Tool({ icon, label, hint, marked, onClick }: ToolProps) {
  const title = hint ? `${label} (${hint})` : label
  return (
    <button
      type="button"
      className={marked ? 'tool is-marked' : 'tool'}
      aria-label={label}
      title={title}
      onClick={onClick}
    >
      <Icon name={icon} />
    </button>
  )
}

function Options({ view, options, onOptions, onResetPositions }: Props) {
  const check = (key: 'edgeNumbers' | 'hideIdle' | 'onlyUnhealthy', words: string) => (
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
