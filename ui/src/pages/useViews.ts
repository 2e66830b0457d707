// The saved views, requested anew whenever something that lists them opens.

import { useQuery } from '@tanstack/react-query'
import { fetchJson } from '../api/client'
import { viewAddresses, type SavedViews } from '../api/views'

export const VIEWS = ['views']

export function useViews() {
  return useQuery({
    queryKey: VIEWS,
    queryFn: ({ signal }) => fetchJson<SavedViews>(viewAddresses.all, signal),
    staleTime: 0,
    retry: false,
  })
}
