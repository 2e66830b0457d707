// What a share link shows: one trace or one map, with a line that says so, and no way elsewhere.

import { useEffect } from 'react'
import { FailureBanner } from '../components/Banner'
import { Empty } from '../components/Empty'
import { Header } from '../components/Header'
import { Loading } from '../components/Loading'
import { dateTime, span } from '../model/format'
import { mapWords, type SharedMap } from '../model/share'
import { changed, href } from '../model/url'
import { lazily } from './lazily'
import { go, useAddress } from './router'
import { useShare, type Share } from './useShare'
import { useTitle } from './useTitle'
import '../styles/share.css'

const MapPage = lazily('page', () => import('./MapPage').then((part) => part.MapPage))
const TracePage = lazily('page', () => import('./TracePage').then((part) => part.TracePage))

export function SharedView() {
  const { share, ended, error, retry } = useShare()
  useReloadForAnotherLink()
  return (
    <div className="app">
      <Header nav={null} scope={null} corner={null} user={null} />
      {ended ? (
        <Ended />
      ) : share ? (
        <Shown share={share} />
      ) : (
        <main className="page" tabIndex={-1} aria-label="Shared view">
          {error ? (
            <FailureBanner error={error} what="Could not open the link" onRetry={retry} />
          ) : (
            <Loading what="shared view" slow={null} />
          )}
        </main>
      )}
    </div>
  )
}

function Shown({ share }: { share: Share }) {
  const { map, trace, until } = share
  return (
    <>
      <aside className="share-banner" aria-label="Shared view">
        <strong>Shared read-only view</strong>
        {map && ` of ${span(map.from, map.to)}`}
        {map && <Narrowed map={map} />}, until {dateTime(until)}.
      </aside>
      {map && <SharedMapPage map={map} />}
      {trace && <TracePage id={trace} />}
    </>
  )
}

function Narrowed({ map: { filter, account, region, environment } }: { map: SharedMap }) {
  const words = [filter, environment, account, region].filter(Boolean)
  return words.map((word) => (
    <span key={word}>
      {' '}
      · <code>{word}</code>
    </span>
  ))
}

/** The map's page reads its window and filter from the address, where the link's are written first. */
function SharedMapPage({ map }: { map: SharedMap }) {
  const { params } = useAddress()
  const words = mapWords(map)
  const isThere = Object.entries(words).every(([key, value]) => params.get(key) === value)
  useEffect(() => {
    if (!isThere) go(href(location.pathname, changed(params, words)) + location.hash, { replace: true })
  })
  return isThere ? <MapPage /> : null
}

function Ended() {
  useTitle('Link not valid')
  return (
    <main className="page" tabIndex={-1} aria-label="Link not valid">
      <Empty title="This link is not valid">
        <p>It has expired, was revoked, or is incomplete.</p>
        <p className="mute">Ask the person who sent it for a new one.</p>
      </Empty>
    </main>
  )
}

/** Another link differs in its fragment only, for which a browser does not load the page anew. */
function useReloadForAnotherLink(): void {
  useEffect(() => {
    const reload = () => location.reload()
    window.addEventListener('hashchange', reload)
    return () => window.removeEventListener('hashchange', reload)
  }, [])
}
