// What someone who is signed in may administer.

import type { Session } from '../api/client'

/** Whether someone may administer; where no one signs in, everyone. */
export function administers(session: Session): boolean {
  return session.name === null || session.role === 'admin'
}

/** Whether that is the whole server rather than one tenant. */
export function administersServer(session: Session): boolean {
  return administers(session) && session.tenant === ''
}
