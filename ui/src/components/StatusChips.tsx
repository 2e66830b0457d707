import type { Status } from '../api/types'
import { StatusMark } from './StatusMark'
import '../styles/chips.css'

const CHOICES: Status[] = ['fault', 'error', 'throttle', 'ok', 'in_progress']

interface Props {
  chosen: Status[]
  onChosen(chosen: Status[]): void
}

export function StatusChips({ chosen, onChosen }: Props) {
  const toggle = (status: Status) =>
    onChosen(chosen.includes(status) ? chosen.filter((one) => one !== status) : [...chosen, status])
  return (
    <div className="chips" role="group" aria-label="Statuses">
      {CHOICES.map((status) => (
        <button
          key={status}
          type="button"
          className={chosen.includes(status) ? 'chip is-on' : 'chip'}
          aria-pressed={chosen.includes(status)}
          onClick={() => toggle(status)}
        >
          <StatusMark status={status} />
        </button>
      ))}
    </div>
  )
}
