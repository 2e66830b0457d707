// Says whose traces are missing from what is shown.

import { useSyncExternalStore } from 'react'
import { missingWords, onMissing } from '../model/missing'

export function MissingNote() {
  const words = useSyncExternalStore(onMissing, missingWords)
  return <div role="status">{words && <p className="left-out">{words}</p>}</div>
}
