// Who is signed in, as the server sees it.

import { useQuery } from '@tanstack/react-query'
import { addresses, fetchJson, type Session } from '../api/client'

/** Null until it is known. */
export function useSession(enabled = true): { session: Session | null; error: Error | null } {
  const { data, error } = useQuery({
    queryKey: ['session'],
    enabled,
    queryFn: ({ signal }) => fetchJson<Session>(addresses.session(), signal),
    retry: false,
  })
  return { session: data ?? null, error }
}
