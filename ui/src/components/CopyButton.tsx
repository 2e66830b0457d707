import { useEffect, useState } from 'react'
import { Icon, type IconName } from './Icon'

interface Props {
  text: string | (() => string | Promise<string>)
  label: string
  words?: string
  icon?: IconName
}

export function CopyButton({ text, label, words, icon = 'copy' }: Props) {
  const [state, setState] = useState<'idle' | 'done' | 'failed'>('idle')
  useEffect(() => {
    if (state === 'idle') return
    const timer = setTimeout(() => setState('idle'), 1600)
    return () => clearTimeout(timer)
  }, [state])

  const copy = async () => {
    const done = await Promise.resolve(typeof text === 'string' ? text : text()).then(copyText, () => false)
    setState(done ? 'done' : 'failed')
  }
  const said = state === 'done' ? 'Copied' : state === 'failed' ? 'Could not copy' : words
  return (
    <button
      type="button"
      className={words ? 'button' : 'icon-button small'}
      aria-label={words ? undefined : label}
      title={label}
      onClick={copy}
    >
      {state === 'idle' && <Icon name={icon} size={14} />}
      <span aria-live="polite">{said}</span>
    </button>
  )
}

/** The clipboard API exists on https and localhost only; elsewhere the older way still works. */
async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const field = document.createElement('textarea')
    field.value = text
    field.className = 'visually-hidden'
    document.body.append(field)
    field.select()
    const done = document.execCommand('copy')
    field.remove()
    return done
  }
}
