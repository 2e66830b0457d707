// The menus at the end of the header: saved views, and who is signed in. A chunk that no page waits for.

import type { Session } from '../api/client'
import { Popover } from '../components/Popover'
import { UserMenu } from '../components/UserMenu'
import { lazily } from './lazily'

const ViewsMenu = lazily('views', () => import('./ViewsMenu').then((part) => part.ViewsMenu))

export default function HeaderMenus({ session }: { session: Session | null }) {
  return (
    <>
      <Popover className="icon-button" label="Views" button={<Bookmark />}>
        {(close) => <ViewsMenu session={session} onClose={close} />}
      </Popover>
      <UserMenu session={session} />
    </>
  )
}

/** Not among the others: pages wait for those. */
function Bookmark() {
  return (
    <svg className="icon" width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
      <path d="M4 2.5h8v11L8 10.4 4 13.5Z" />
    </svg>
  )
}
