import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { addresses, fetchJson, type TimeWindow } from '../api/client'
import type { MapNode, ServiceMatch, ServiceMatches } from '../api/types'

const TYPING_MS = 200

export interface HiddenMatches {
  /** Matches that are not drawn, the most relevant first. */
  services: ServiceMatch[]
  /** All matches of the whole graph; null until known. */
  total: number | null
  searching: boolean
}

/** Searches all services of the window by name, as the map has only some of them. `text` empty: no search. */
export function useHiddenMatches(text: string, window: TimeWindow, drawn: readonly MapNode[]): HiddenMatches {
  const wanted = useSettled(text.trim())
  const { data, isFetching } = useQuery({
    queryKey: ['services', wanted],
    queryFn: ({ signal }) => fetchJson<ServiceMatches>(addresses.services(window, wanted), signal),
    enabled: wanted !== '',
    retry: false,
    staleTime: 30_000,
  })
  const searching = text.trim() !== wanted || isFetching
  if (wanted === '' || !data) return { services: [], total: null, searching }
  const ids = new Set(drawn.map(({ id }) => id))
  return { services: data.services.filter(({ id }) => !ids.has(id)), total: data.total, searching }
}

/** A text once it has not changed for a moment. */
function useSettled(text: string): string {
  const [settled, setSettled] = useState(text)
  useEffect(() => {
    const timer = setTimeout(() => setSettled(text), TYPING_MS)
    return () => clearTimeout(timer)
  }, [text])
  return settled
}
