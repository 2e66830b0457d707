import { useState, type FormEvent, type ReactNode } from 'react'
import { applyTheme, themeChoice, type ThemeChoice } from '../styles/theme'
import { normalTraceId } from '../model/traceId'
import { Icon, Logo, type IconName } from './Icon'

interface Props {
  nav: ReactNode
  scope: ReactNode
  corner: ReactNode
  user: ReactNode
  /** What the button of a narrow screen says, and whether something but the time narrows what is shown. */
  controls?: { words: string; narrowed: boolean } | undefined
  /** Absent where there is nothing to find. */
  onTrace?: ((id: string) => void) | undefined
}

export function Header({ nav, scope, corner, user, controls, onTrace }: Props) {
  const [open, setOpen] = useState(false)
  return (
    <header className={open ? 'header is-open' : 'header'}>
      <span className="brand">
        <Logo /> Raymap
      </span>
      {nav && <nav aria-label="Pages">{nav}</nav>}
      {scope}
      {onTrace && <FindTrace onTrace={onTrace} />}
      {corner}
      {controls && (
        <button
          type="button"
          className={controls.narrowed ? 'button controls-toggle is-marked' : 'button controls-toggle'}
          aria-expanded={open}
          aria-label={`Time, filter and search: ${controls.words}${controls.narrowed ? ', filtered' : ''}`}
          onClick={() => setOpen(!open)}
        >
          {controls.words} <Icon name="options" size={14} />
        </button>
      )}
      <div className="header-extra">
        <ThemeSwitch />
        {user}
      </div>
    </header>
  )
}

function FindTrace({ onTrace }: { onTrace: (id: string) => void }) {
  const [text, setText] = useState('')
  const [refused, setRefused] = useState(false)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (!text.trim()) return
    const id = normalTraceId(text)
    setRefused(id === null)
    if (!id) return
    setText('')
    onTrace(id)
  }
  return (
    <form className="find-trace" role="search" onSubmit={submit}>
      <Icon name="search" size={14} />
      <input
        className="mono"
        aria-label="Find a trace by its id"
        aria-invalid={refused}
        aria-describedby={refused ? 'find-trace-error' : undefined}
        placeholder="Trace id"
        spellCheck={false}
        value={text}
        onChange={(event) => {
          setText(event.target.value)
          setRefused(false)
        }}
      />
      {refused && (
        <p className="find-error" id="find-trace-error" role="alert">
          Not a trace id: expected 1-8 hex-24 hex, or 32 hex digits.
        </p>
      )}
    </form>
  )
}

const NEXT: Record<ThemeChoice, ThemeChoice> = { system: 'light', light: 'dark', dark: 'system' }
const SIGN: Record<ThemeChoice, IconName> = { system: 'system', light: 'sun', dark: 'moon' }
const WORD: Record<ThemeChoice, string> = { system: 'as the system', light: 'light', dark: 'dark' }

function ThemeSwitch() {
  const [choice, setChoice] = useState(themeChoice)
  const change = () => {
    const next = NEXT[choice]
    applyTheme(next)
    setChoice(next)
  }
  const label = `Colours: ${WORD[choice]}. Switch to ${WORD[NEXT[choice]]}`
  return (
    <button type="button" className="icon-button" aria-label={label} title={label} onClick={change}>
      <Icon name={SIGN[choice]} />
    </button>
  )
}
