// The head of a side panel: what it is about, and the button that closes it.

import type { ReactNode } from 'react'
import { Icon } from './Icon'
import '../styles/panel.css'

interface Props {
  badge?: ReactNode
  title: ReactNode
  subtitle: ReactNode
  onClose(): void
}

export function PanelHead({ badge, title, subtitle, onClose }: Props) {
  return (
    <div className="panel-head">
      {badge}
      <div className="panel-title">
        <h2>{title}</h2>
        <span className="mute">{subtitle}</span>
      </div>
      <button
        type="button"
        className="icon-button"
        aria-label="Close details"
        title="Close (Esc)"
        onClick={onClose}
      >
        <Icon name="close" />
      </button>
    </div>
  )
}
