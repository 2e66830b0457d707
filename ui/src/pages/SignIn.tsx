// What a server that requires people to sign in shows in place of every page.

import { useEffect, useRef, useState, type FormEvent } from 'react'
import { addresses, ApiError, fetchJson, send } from '../api/client'
import { Logo } from '../components/Icon'
import '../styles/signIn.css'
import '../styles/empty.css'

export function SignIn() {
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)
  const elsewhere = useOpenIdConnect()
  const first = useRef<HTMLInputElement>(null)
  // The form has replaced whatever page had the focus.
  useEffect(() => first.current?.focus(), [])
  const submit = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault()
    const form = new FormData(event.currentTarget)
    setBusy(true)
    setProblem('')
    try {
      await send('POST', addresses.signIn(), { name: form.get('name'), password: form.get('password') })
      // Everything that was refused is requested again, at the same address.
      location.reload()
    } catch (error) {
      setProblem(error instanceof ApiError ? error.message : String(error))
      setBusy(false)
    }
  }
  return (
    <main className="page" tabIndex={-1} aria-label="Sign in">
      <form className="empty sign-in" onSubmit={(event) => void submit(event)}>
        <Logo size={48} />
        <h1>Sign in to Raymap</h1>
        <label>
          Name
          <input
            name="name"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            ref={first}
          />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required />
        </label>
        {problem && (
          <p className="field-error" role="alert">
            {sentence(problem)}
          </p>
        )}
        <button type="submit" className="button primary" disabled={busy}>
          {busy ? 'Signing in…' : 'Sign in'}
        </button>
        {elsewhere && (
          <a className="button" href={addresses.openIdConnect()}>
            Sign in with your organization
          </a>
        )}
        <p className="mute">
          On the server, <code>raymap user add</code> adds people.
        </p>
      </form>
    </main>
  )
}

/** Whether another provider signs people in, too. */
function useOpenIdConnect(): boolean {
  const [offered, setOffered] = useState(false)
  useEffect(() => {
    const leaving = new AbortController()
    fetchJson<{ oidc: boolean }>(addresses.signInMethods(), leaving.signal).then(
      ({ oidc }) => setOffered(oidc),
      () => undefined, // the form works without it
    )
    return () => leaving.abort()
  }, [])
  return offered
}

function sentence(message: string): string {
  return `${message.charAt(0).toUpperCase()}${message.slice(1)}.`
}
