// Parts of the console that are loaded when they are first shown, or when a link to them is pointed at.

import { useEffect, useState, type ComponentType } from 'react'
import { Loading } from '../components/Loading'
import { focusContent } from './usePageFocus'

type Load<P> = () => Promise<ComponentType<P>>

/** A part that can be fetched before it is shown. */
export type Lazy<P> = ComponentType<P> & { preload(): void }

/**
 * A component of a chunk of its own. Once that is here it renders at once, without a flash; `Meanwhile` is rendered
 * until then.
 */
export function lazily<P extends object>(what: string, load: Load<P>, Meanwhile?: ComponentType<P>): Lazy<P> {
  let part: ComponentType<P> | null = null
  const fetchPart = async () => (part = await load())
  function Part(props: P) {
    const [here, setHere] = useState(part !== null)
    const [failed, setFailed] = useState(false)
    useEffect(() => {
      if (part || failed) return
      let gone = false
      fetchPart().then(
        () => gone || setHere(true),
        () => gone || setFailed(true),
      )
      return () => {
        gone = true
      }
    }, [failed])
    useEffect(() => {
      if (here) focusContent()
    }, [here])
    if (part) {
      const Loaded = part
      return <Loaded {...props} />
    }
    if (!failed) {
      return (
        <div className="is-late">
          <Loading what={what} slow={null} />
          {Meanwhile && <Meanwhile {...props} />}
        </div>
      )
    }
    return (
      <div className="banner is-bad" role="alert">
        <span>The {what} could not be loaded: the server does not answer, or has another version now.</span>
        <button type="button" className="button" onClick={() => location.reload()}>
          Reload
        </button>
      </div>
    )
  }
  Part.preload = () => void fetchPart().catch(() => undefined)
  return Part
}
