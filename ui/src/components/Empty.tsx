// What stands in place of a picture: nothing yet, nothing here, not found.

import type { ReactNode } from 'react'
import { Logo } from './Icon'
import '../styles/empty.css'

interface Props {
  title: string
  children?: ReactNode
}

export function Empty({ title, children }: Props) {
  return (
    <div className="empty">
      <Logo size={48} />
      <h1>{title}</h1>
      {children}
    </div>
  )
}
