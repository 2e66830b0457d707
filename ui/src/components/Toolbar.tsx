// The map's controls, top right.

import type { ReactNode } from 'react'
import { Icon, type IconName } from './Icon'
import { Popover } from './Popover'

interface Props {
  view: 'map' | 'list'
  /** What its button opens. */
  options(close: () => void): ReactNode
  outdated: boolean
  onZoom(factor: number): void
  onFit(): void
  /** Absent where the layout cannot be changed. */
  onArrange: (() => void) | undefined
  onView(view: 'map' | 'list'): void
  /** Where there is no way to share, which has it, too. */
  onSavePng: (() => void) | undefined
  onKeys(): void
  share: ReactNode
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
          {props.onArrange && (
            <Tool
              icon="arrange"
              label={outdated ? 'Arrange again: a tidier layout is ready' : 'Arrange again'}
              hint="A"
              marked={outdated}
              onClick={props.onArrange}
            />
          )}
        </>
      )}
      <Tool
        icon={isMap ? 'list' : 'map'}
        label={isMap ? 'Show as a list' : 'Show as a map'}
        onClick={() => props.onView(isMap ? 'list' : 'map')}
      />
      <Popover className="tool" label="Options" button={<Icon name="options" />}>
        {props.options}
      </Popover>
      {props.share}
      {isMap && props.onSavePng && <Tool icon="picture" label="Save as PNG" onClick={props.onSavePng} />}
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
