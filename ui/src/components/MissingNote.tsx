// Says whose traces are missing from what is shown.

import { useSyncExternalStore } from 'react'
import { missingWords, onMissing } from '../model/missing'

export function MissingNote() {
  const words = useSyncExternalStore(onMissing, missingWords)
  if (!words) return null
  return (
    <p className="left-out" role="alert">
      {words}
    </p>
  )
}
