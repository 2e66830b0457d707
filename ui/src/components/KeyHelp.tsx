import { useLayoutEffect, useRef } from 'react'
import '../styles/keyHelp.css'

const KEYS: [string, string][] = [
  ['← → ↑ ↓', 'Move the map'],
  ['+ −', 'Zoom in, zoom out'],
  ['0', 'Fit to window'],
  ['Tab', 'Next service; Shift+Tab: the one before'],
  ['Enter', 'Choose the service'],
  ['F', 'Focus on the chosen service'],
  ['E', 'On to the error: failing traces of the choice, the newest of them, its exception'],
  [
    'C',
    'Compare with the period before; again: yesterday, a week ago, before the last deployment. The menu has two versions, accounts, filters',
  ],
  ['A', 'Arrange again, for everybody'],
  ['/', 'Search'],
  ['Ctrl+K', 'Go to a service, a trace, a page or a time'],
  ['L', 'Legend'],
  ['[ ]', 'One range earlier, one later'],
  ['T', 'To the time strip: there ← → by a minute, Shift by the range, End to the present'],
  ['Esc', 'Clear the choice, leave the focus'],
]

export function KeyHelp({ onClose }: { onClose(): void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  // Before the next key.
  useLayoutEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog className="key-help" ref={dialog} aria-label="Keyboard shortcuts" onClose={onClose}>
      <h2>Keyboard</h2>
      <dl>
        {KEYS.map(([keys, words]) => (
          <div key={keys}>
            <dt>
              {keys.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{words}</dd>
          </div>
        ))}
      </dl>
      <form method="dialog">
        <button className="button" autoFocus>
          Close
        </button>
      </form>
    </dialog>
  )
}
