// How executions go through the states of a state machine: from top to bottom, as they are mostly entered.

import type { StateList } from '../api/types'
import { count, duration } from '../model/format'
import { STATE_LABELS, shares } from '../model/health'
import { leaving } from '../model/states'
import { SharesBar } from './SharesBar'
import '../styles/panel.css'

export function StateFlow({ flow }: { flow: StateList }) {
  const { states, executions, traces, complete } = flow
  return (
    <section className="state-flow" aria-label="States">
      <h3>States</h3>
      <p className="mute">
        {count(executions)} executions{complete ? '' : ` in the newest ${count(traces)} traces`}
      </p>
      <ol>
        {states.map((state) => {
          const parts = shares(state)
          return (
            <li key={state.name}>
              <div className="state-box">
                <span className="state-name">{state.name}</span>
                <span className="numeric">{count(state.requests)}</span>
                <span className="numeric mute">{duration(state.average_ms)}</span>
                <span
                  title={
                    parts && state.fault ? `${count(state.fault)} ${STATE_LABELS.fault.word}` : undefined
                  }
                >
                  {parts && <SharesBar shares={parts} />}
                </span>
              </div>
              <p className="state-next mute">{leaving(flow, state.name)}</p>
            </li>
          )
        })}
      </ol>
    </section>
  )
}
