import { lazy, Suspense, useEffect } from 'react'
import { Header } from '../components/Header'
import { MissingNote } from '../components/MissingNote'
import { ScopePicker } from '../components/ScopePicker'
import { useSession } from '../components/useSession'
import { StatusCorner } from '../components/StatusCorner'
import { administers } from '../model/session'
import { serverState } from '../model/serverState'
import { isShared } from '../model/share'
import { carried, carriedFilter, href, isAdmin, parseRoute, type Changes, type Route } from '../model/url'
import { parseRange, shortRange } from '../model/range'
import { SCOPE_KEYS } from '../model/scope'
import { KeysAhead } from './KeysAhead'
import { lazily } from './lazily'
import { go, Link, setParams, useAddress } from './router'
import { useCommandPalette } from './useCommandPalette'
import { usePageFocus } from './usePageFocus'
import { useScope } from './useScope'
import { useServerStatus } from './useServerStatus'
import { useTitle } from './useTitle'

const MapPage = lazily('page', () => import('./MapPage').then((part) => part.MapPage))
const TracesPage = lazily('page', () => import('./TracesPage').then((part) => part.TracesPage))
const TracePage = lazily('page', () => import('./TracePage').then((part) => part.TracePage))
const GroupsPage = lazily('page', () => import('./GroupsPage').then((part) => part.GroupsPage))
const SamplingPage = lazily('page', () => import('./SamplingPage').then((part) => part.SamplingPage))
const AlarmsPage = lazily('page', () => import('./AlarmsPage').then((part) => part.AlarmsPage))
const SharedView = lazily('page', () => import('./SharedView').then((part) => part.SharedView))
const StatusNumbers = lazily('numbers', () =>
  import('../components/StatusNumbers').then((part) => part.StatusNumbers),
)
const OtherPage = lazily('page', () => import('./OtherPage').then((part) => part.OtherPage))
const SignIn = lazily('page', () => import('./SignIn').then((part) => part.SignIn))
const CommandPalette = lazily(
  'palette',
  () => import('./CommandPalette').then((part) => part.CommandPalette),
  ({ typed, onClose }) => <KeysAhead onTyped={(now) => (typed.current = now)} onClose={onClose} />,
)

const AdminPage = lazily('page', () => import('./AdminPage').then((part) => part.AdminPage))

const HeaderMenus = lazy(() => import('./HeaderMenus'))

const TABS = {
  map: MapPage,
  traces: TracesPage,
  alarms: AlarmsPage,
  groups: GroupsPage,
  sampling: SamplingPage,
  members: AdminPage,
  settings: AdminPage,
}

/** Of pages that are not called as in their address. */
const TITLES: Partial<Record<Route['page'], string>> = {
  map: 'Service map',
  sampling: 'Sampling rules',
  shares: 'Share links',
  keys: 'API keys',
  audit: 'Audit log',
  unknown: 'Not found',
}

function titleOf(page: Route['page']): string {
  return TITLES[page] ?? page.charAt(0).toUpperCase() + page.slice(1)
}

export function App() {
  return isShared() ? <SharedView /> : <Console />
}

function Console() {
  const { path, params } = useAddress()
  const route = parseRoute(path)
  useTitle(titleOf(route.page))
  usePageFocus(path)
  const probed = useServerStatus()
  const { status, signedOut } = probed
  const { session } = useSession(!signedOut)
  useEffect(() => {
    const tab = document.querySelector('.header nav [aria-current]')
    tab?.scrollIntoView({ inline: 'nearest', block: 'nearest' })
  }, [path, session])
  const palette = useCommandPalette()
  const along = carried(params)
  const scope = useScope(params, !signedOut)
  const filter = route.page === 'trace' ? carriedFilter(params) : {}
  const tab = (
    target: keyof typeof TABS,
    words: string,
    active = route.page === target,
    more: Changes = {},
  ) => (
    <Link
      href={href(`/${target}`, { ...along, ...more })}
      aria-current={active ? 'page' : undefined}
      onPointerEnter={TABS[target].preload}
      onFocus={TABS[target].preload}
    >
      {words}
    </Link>
  )
  return (
    <div className={params.has('kiosk') ? 'app is-kiosk' : 'app'}>
      <Header
        nav={
          !signedOut && (
            <>
              {tab('map', 'Service map')}
              {tab('traces', 'Traces', route.page.startsWith('trace'), filter)}
              {tab('alarms', 'Alarms')}
              {tab('groups', 'Groups')}
              {tab('sampling', 'Sampling')}
              {session &&
                administers(session) &&
                tab(session.name === null ? 'settings' : 'members', 'Admin', isAdmin(route))}
            </>
          )
        }
        scope={
          !signedOut &&
          route.page !== 'compare' && (
            <ScopePicker
              scope={scope.scope}
              choices={scope.choices}
              compare={
                <Link className="scope-compare" href={href('/compare', along)}>
                  Compare
                </Link>
              }
              onChoose={(key, value) => setParams({ [key]: value })}
            />
          )
        }
        corner={
          !signedOut && (
            <StatusCorner
              status={status}
              state={serverState(probed)}
              numbers={(known) => <StatusNumbers status={known} />}
            />
          )
        }
        user={
          !signedOut && (
            <Suspense>
              <HeaderMenus session={session} />
            </Suspense>
          )
        }
        controls={
          signedOut ? undefined : { words: shortRange(parseRange(params)), narrowed: narrows(params) }
        }
        onTrace={signedOut ? undefined : (id) => go(href(`/traces/${id}`, along))}
      />
      <MissingNote />
      {signedOut ? <SignIn /> : <Page route={route} />}
      {palette.isOpen && <CommandPalette typed={palette.typed} onClose={palette.close} />}
    </div>
  )
}

/** Whether an address shows less than everything of its time. */
function narrows(params: URLSearchParams): boolean {
  return ['filter', 'status', 'node', 'edge', 'error', 'q', ...SCOPE_KEYS].some((key) => params.get(key))
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'map':
    case 'traces':
    case 'groups':
    case 'sampling':
    case 'alarms': {
      const Tab = TABS[route.page]
      return <Tab />
    }
    case 'trace':
      return <TracePage key={route.id} id={route.id} />
    default:
      return isAdmin(route) ? <AdminPage part={route.page} /> : <OtherPage route={route} />
  }
}
