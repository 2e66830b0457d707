import { addresses } from '../api/client'
import type { ServerStatus } from '../api/types'
import { useFetched } from './useFetched'

/** Whether the store has ever held a trace; null until known. Asked only when it matters. */
export function useEver(wanted: boolean): boolean | null {
  const { data } = useFetched<ServerStatus>(wanted ? addresses.status() : null, `ever ${wanted}`)
  return data?.ever ?? null
}
