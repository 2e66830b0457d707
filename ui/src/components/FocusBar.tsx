import { Icon } from './Icon'
import '../styles/focusBar.css'

interface Props {
  name: string
  hops: number
  onHops(hops: number): void
  onLeave(): void
}

export function FocusBar({ name, hops, onHops, onLeave }: Props) {
  return (
    <nav className="focus-bar" aria-label="Focus">
      <button type="button" className="link" title="Leave the focus (Esc)" onClick={onLeave}>
        <Icon name="back" size={14} /> All services
      </button>
      <span aria-hidden="true">›</span>
      <strong>{name}</strong>
      <label>
        <span className="visually-hidden">Distance</span>
        <select value={hops} onChange={(event) => onHops(Number(event.target.value))}>
          <option value={1}>1 hop</option>
          <option value={2}>2 hops</option>
          <option value={3}>3 hops</option>
        </select>
      </label>
    </nav>
  )
}
