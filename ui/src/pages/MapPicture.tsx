// The map that an entry of a notebook shows, drawn as it is saved as SVG.

import { useEffect, useState } from 'react'
import type { ServiceMap } from '../api/types'
import { Loading } from '../components/Loading'
import type { Size } from '../map/camera'
import { mapAddress } from '../model/notebook'
import { usePalette } from '../styles/theme'
import { drawMap } from './drawMap'
import { useLiveQuery } from './useLiveQuery'

export function MapPicture({ query, title }: { query: URLSearchParams; title: string }) {
  const url = mapAddress(query)
  const { data, error } = useLiveQuery<ServiceMap>(url, { key: url })
  const palette = usePalette()
  const [picture, setPicture] = useState<{ src: string; size: Size } | null | undefined>()
  useEffect(() => {
    if (!data) return
    let made = ''
    let gone = false
    void drawMap(data, url.slice(url.indexOf('?'))).then((drawn) => {
      if (gone) return
      if (drawn) made = URL.createObjectURL(new Blob([drawn.text], { type: 'image/svg+xml' }))
      setPicture(drawn && { src: made, size: drawn.size })
    })
    return () => {
      gone = true
      URL.revokeObjectURL(made)
    }
  }, [data, palette, url])
  if (error || picture === null) return null
  if (!picture) return <Loading what="map" slow={null} />
  return (
    <div className="notebook-map">
      <img src={picture.src} width={picture.size.width} height={picture.size.height} alt={title} />
    </div>
  )
}
