// Defaults of every request the console repeats. The server may run on a machine without a network.

import { QueryClient } from '@tanstack/react-query'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      networkMode: 'always',
      refetchOnWindowFocus: false,
      refetchOnReconnect: false,
      staleTime: Infinity,
      // Comparing two maps of 2,000 nodes field by field costs more than drawing the new one.
      structuralSharing: false,
    },
  },
})
