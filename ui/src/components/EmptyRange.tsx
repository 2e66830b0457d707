// A range of time in which there is nothing.

import { span } from '../model/format'
import { Empty } from './Empty'

interface Props {
  from: number
  to: number
  what: string
  onLastDay: (() => void) | undefined
  onClear?: (() => void) | undefined
}

export function EmptyRange({ from, to, what, onLastDay, onClear }: Props) {
  return (
    <Empty title={`No ${what} in this range`}>
      <p>{span(from, to)}</p>
      <div className="empty-actions">
        {onLastDay && (
          <button type="button" className="button primary" onClick={onLastDay}>
            Last 24 hours
          </button>
        )}
        {onClear && (
          <button type="button" className="button" onClick={onClear}>
            Clear filter
          </button>
        )}
      </div>
    </Empty>
  )
}
