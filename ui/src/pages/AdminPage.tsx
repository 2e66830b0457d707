// What administrators do: members, keys, tenants, settings, the audit log. One frame, and who may see what.

import { useEffect, type ReactNode } from 'react'
import type { ApiError, Session } from '../api/client'
import { FailureBanner } from '../components/Banner'
import { Loading } from '../components/Loading'
import { useSession } from '../components/useSession'
import { administers, administersServer } from '../model/session'
import { AuditPage } from './AuditPage'
import { KeysPage } from './KeysPage'
import { MembersPage } from './MembersPage'
import { Link } from './router'
import { SettingsPage } from './SettingsPage'
import { TenantsPage } from './TenantsPage'
import '../styles/tables.css'
import '../styles/forms.css'
import '../styles/admin.css'

interface Part {
  title: string
  /** Of the server, not of a tenant. */
  ofServer: boolean
  /** It is about those who sign in. */
  needsSignIn: boolean
  Page: (props: { session: Session }) => ReactNode
}

const PARTS = {
  members: { title: 'Members', ofServer: false, needsSignIn: true, Page: MembersPage },
  keys: { title: 'API keys', ofServer: false, needsSignIn: true, Page: KeysPage },
  tenants: { title: 'Tenants', ofServer: true, needsSignIn: true, Page: TenantsPage },
  settings: { title: 'Settings', ofServer: true, needsSignIn: false, Page: SettingsPage },
  audit: { title: 'Audit log', ofServer: false, needsSignIn: false, Page: AuditPage },
} satisfies Record<string, Part>

export type AdminPart = keyof typeof PARTS

export function AdminPage({ part }: { part: AdminPart }) {
  const { session, error } = useSession()
  const { title } = PARTS[part]
  return (
    <main className="settings-page" tabIndex={-1} aria-label={title}>
      {session && administers(session) && <Parts session={session} active={part} />}
      {!session && !error && <Loading what="page" slow={null} />}
      {error && (
        <FailureBanner
          error={error as ApiError}
          what="Could not find out who is signed in"
          onRetry={() => location.reload()}
        />
      )}
      {session && <Content key={part} part={part} session={session} />}
    </main>
  )
}

function Parts({ session, active }: { session: Session; active: AdminPart }) {
  useEffect(() => {
    const current = document.querySelector('.admin-nav [aria-current]')
    current?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
  }, [active])
  const shown = Object.entries<Part>(PARTS).filter(
    ([, { ofServer }]) => !ofServer || administersServer(session),
  )
  return (
    <nav className="admin-nav" aria-label="Administration">
      {shown.map(([key, { title }]) => (
        <Link key={key} href={`/${key}`} aria-current={key === active ? 'page' : undefined}>
          {title}
        </Link>
      ))}
    </nav>
  )
}

function Content({ part, session }: { part: AdminPart; session: Session }) {
  const { title, ofServer, needsSignIn, Page }: Part = PARTS[part]
  if (!administers(session)) {
    return (
      <Notice title={title}>
        <p>
          Only administrators see this page. You are signed in as <strong>{session.name}</strong>, with the
          role {session.role}
          {session.tenant && ` of ${session.tenant}`}.
        </p>
        <p className="mute">An administrator can change it.</p>
      </Notice>
    )
  }
  if (ofServer && !administersServer(session)) {
    return (
      <Notice title={title}>
        <p>
          This page is about the whole server. You administer <strong>{session.tenant}</strong>; the server is
          administered in its default tenant.
        </p>
      </Notice>
    )
  }
  if (needsSignIn && session.name === null) return <SignInIsOff title={title} />
  return <Page session={session} />
}

function Notice({ title, children }: { title: string; children: ReactNode }) {
  return (
    <>
      <div className="settings-head">
        <h1>{title}</h1>
      </div>
      <div className="notice">{children}</div>
    </>
  )
}

function SignInIsOff({ title }: { title: string }) {
  return (
    <Notice title={title}>
      <p>
        <strong>Sign-in is off.</strong> Everyone who reaches this server may read and change everything, so
        there are no members, keys and tenants. To turn it on, add an administrator, then restart the server:
      </p>
      <pre>
        raymap user add NAME --role admin{'\n'}
        raymap serve --auth on
      </pre>
      <p className="mute">
        With <code>--auth ingest-warn</code>, traces without a key are still accepted while you give each
        sender its own.
      </p>
    </Notice>
  )
}
