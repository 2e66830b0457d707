import { Empty } from '../components/Empty'
import { isShared } from '../model/share'
import { Link } from './router'

export function NotFound({ what, why }: { what: string; why?: string }) {
  return (
    <main className="page" tabIndex={-1} aria-label="Not found">
      <Empty title="Not found">
        <p>Looked for {what}.</p>
        {why && <p className="mute">{why}</p>}
        {!isShared() && (
          <div className="empty-actions">
            <Link className="button primary" href="/map">
              Service map
            </Link>
            <Link className="button" href="/traces">
              Traces
            </Link>
          </div>
        )}
      </Empty>
    </main>
  )
}
