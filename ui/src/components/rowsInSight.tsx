// Long tables draw only the rows in sight, between two spacers. The scrolling element has `data-scroller`.

import { useEffect, useState, type RefObject } from 'react'
import { windowed, type Slice } from '../model/timeline'

/** Fewer rows are all drawn, so that the browser's own search finds them. */
const WINDOW_FROM = 300

export function Spacer({ height }: { height: number }) {
  if (height <= 0) return null
  return <tr className="spacer" aria-hidden="true" style={{ height }} />
}

function scrollerOf(body: HTMLElement | null): HTMLElement | null {
  return body?.closest<HTMLElement>('[data-scroller]') ?? null
}

export function scrollToRow(body: HTMLElement | null, index: number, rowHeight: number): void {
  const place = scrollerOf(body)
  if (!place || !body) return
  const top = body.offsetTop + index * rowHeight
  if (top < place.scrollTop || top > place.scrollTop + place.clientHeight - 2 * rowHeight) {
    place.scrollTop = Math.max(0, top - place.clientHeight / 2)
  }
}

/** The rows to draw: all of a short list and on a narrow page (pixels), else those in sight and some around them. */
export function useRowsInSight(
  body: RefObject<HTMLElement | null>,
  total: number,
  rowHeight: number,
  narrow = 0,
): Slice {
  const isWindowed = total > WINDOW_FROM && window.innerWidth >= narrow
  const [seen, setSeen] = useState({ top: 0, height: 900 })
  useEffect(() => {
    const place = scrollerOf(body.current)
    if (!isWindowed || !place) return
    const read = () =>
      setSeen({ top: place.scrollTop - (body.current?.offsetTop ?? 0), height: place.clientHeight })
    read()
    place.addEventListener('scroll', read, { passive: true })
    return () => place.removeEventListener('scroll', read)
  }, [body, isWindowed])
  return isWindowed ? windowed(total, rowHeight, seen.top, seen.height) : { from: 0, to: total }
}
