import { useEffect } from 'react'
import { useFetched, type Fetched } from './useFetched'

/** Asks the same question again and again while the page is seen. */
export function usePolled<T>(url: string, seconds: number): Fetched<T> {
  const fetched = useFetched<T>(url, url)
  const { reload } = fetched
  useEffect(() => {
    const timer = setInterval(() => document.hidden || reload(), seconds * 1000)
    return () => clearInterval(timer)
  }, [reload, seconds])
  return fetched
}
