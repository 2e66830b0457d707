import { Header } from '../components/Header'
import { StatusCorner } from '../components/StatusCorner'
import { carried, href, parseRoute, type Route } from '../model/url'
import { MapPage } from './MapPage'
import { NotFound } from './NotFound'
import { TracePage } from './TracePage'
import { TracesPage } from './TracesPage'
import { go, Link, useAddress } from './router'
import { useServerStatus } from './useServerStatus'
import { useTitle } from './useTitle'

const TITLES: Record<Route['page'], string> = {
  map: 'Service map',
  traces: 'Traces',
  trace: 'Trace',
  unknown: 'Not found',
}

export function App() {
  const { path, params } = useAddress()
  const route = parseRoute(path)
  useTitle(TITLES[route.page])
  const { status, reachable } = useServerStatus()
  const along = carried(params)
  const tab = (target: string, words: string, active: boolean) => (
    <Link href={href(target, along)} aria-current={active ? 'page' : undefined}>
      {words}
    </Link>
  )
  return (
    <div className="app">
      <Header
        nav={
          <>
            {tab('/map', 'Service map', route.page === 'map')}
            {tab('/traces', 'Traces', route.page === 'traces' || route.page === 'trace')}
          </>
        }
        corner={<StatusCorner status={status} reachable={reachable} />}
        onTrace={(id) => go(`/traces/${id}`)}
      />
      <Page route={route} />
    </div>
  )
}

function Page({ route }: { route: Route }) {
  switch (route.page) {
    case 'map':
      return <MapPage />
    case 'traces':
      return <TracesPage />
    case 'trace':
      return <TracePage key={route.id} id={route.id} />
    case 'unknown':
      return <NotFound what={`the page ${route.path}`} />
  }
}
