// Who is signed in, and the way out; nothing where the server requires no one to.

import { addresses, send, type Session } from '../api/client'
import { Icon } from './Icon'
import { Popover } from './Popover'

export function UserMenu({ session: data }: { session: Session | null }) {
  if (!data?.name) return null
  const signOut = async () => {
    await send('POST', addresses.signOut())
    location.reload()
  }
  return (
    <Popover className="icon-button" label={`Signed in as ${data.name}`} button={<Icon name="user" />}>
      {() => (
        <div className="popover-text">
          <p>
            {data.name}{' '}
            <span className="mute">
              {data.role}
              {data.tenant && ` of ${data.tenant}`}
            </span>
          </p>
          {data.via === 'session' && (
            <button type="button" className="button" onClick={() => void signOut()}>
              Sign out
            </button>
          )}
        </div>
      )}
    </Popover>
  )
}
