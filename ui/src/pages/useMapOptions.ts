import { useMemo, useState } from 'react'
import type { Thresholds } from '../model/health'
import { savedOptions, saveOptions } from '../model/savedOptions'
import { DEFAULT_OPTIONS, type MapOptions } from '../model/visibility'
import { setParams, useAddress } from './router'
import { useServerStatus } from './useServerStatus'

/**
 * The map's options, remembered in this browser; thresholds are the server's until they are changed here. A view says in
 * the address whether its map is folded.
 */
export function useMapOptions(): [MapOptions, (options: MapOptions) => void] {
  const [saved, setSaved] = useState(savedOptions)
  const { status } = useServerStatus()
  const { share, count } = status?.unhealthy ?? DEFAULT_OPTIONS.thresholds
  const said = useAddress().params.get('fold')
  const { fold } = { ...DEFAULT_OPTIONS, ...saved }
  const options = useMemo(
    () => ({
      ...DEFAULT_OPTIONS,
      ...saved,
      fold: said ? said === '1' : fold,
      thresholds: saved.thresholds ?? { share, count },
    }),
    [saved, said, fold, share, count],
  )
  const change = ({ thresholds, ...rest }: MapOptions) => {
    if (said) {
      setParams({ fold: rest.fold ? '1' : '0' }, { replace: true })
      rest.fold = fold
    }
    const next = equal(thresholds, { share, count }) ? rest : { ...rest, thresholds }
    saveOptions(next)
    setSaved(next)
  }
  return [options, change]
}

function equal(one: Thresholds, other: Thresholds): boolean {
  return one.share === other.share && one.count === other.count
}
