// How far the figures of a map reach.

import type { ServiceMap } from '../api/types'

/** Seconds that a map is always behind while data arrives; more than that is worth saying. */
const USUAL = 10

/** From when on received data may not be counted yet (epoch seconds); null when all of it is, or almost. */
export function endOfData(map: Pick<ServiceMap, 'to' | 'generated_at' | 'data_until'>): number | null {
  const end = Math.min(map.to, map.generated_at)
  return end - map.data_until > USUAL ? map.data_until : null
}
