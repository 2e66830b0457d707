// The notebooks, requested anew whenever something that lists them opens.

import { useQuery } from '@tanstack/react-query'
import { fetchJson } from '../api/client'
import { notebookAddresses, type Notebooks } from '../api/notebooks'

export const NOTEBOOKS = ['notebooks']

export function useNotebooks() {
  return useQuery({
    queryKey: NOTEBOOKS,
    queryFn: ({ signal }) => fetchJson<Notebooks>(notebookAddresses.all, signal),
    staleTime: 0,
    retry: false,
  })
}
