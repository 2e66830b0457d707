// A value of a trace as a term of the filter language. Pure.

import type { Json } from '../api/types'
import { quoted } from './quoted'

const PLAIN_KEY = /^[^\s=!<>()[\]{}",]+$/

/** Texts of a segment by where its document has them. */
const TEXTS: Record<string, string> = {
  user: 'user',
  'request.client_ip': 'http.clientip',
  'request.method': 'http.method',
  'request.url': 'http.url',
  'request.user_agent': 'http.useragent',
}

/** A text of a document, such as its user or `request.url`; null for one that no filter names. */
export function textTerm(path: string, value: string): string | null {
  const keyword = TEXTS[path]
  if (keyword) return value === '' ? null : `${keyword} = ${quoted(value)}`
  return path === 'response.status' && /^\d+$/.test(value) ? `http.status = ${value}` : null
}

/** An annotation; a number and a boolean match only themselves, not their texts. */
export function annotationTerm(key: string, value: Json | undefined): string | null {
  const field = PLAIN_KEY.test(key) ? `annotation.${key}` : `annotation[${key}]`
  if (typeof value === 'string') return `${field} = ${quoted(value)}`
  return typeof value === 'number' || typeof value === 'boolean' ? `${field} = ${value}` : null
}

/** A filter and one more term, which traces must or must not satisfy. */
export function narrowed(filter: string | null, term: string, isWanted: boolean): string {
  const added = isWanted ? term : `!(${term})`
  const before = filter?.trim()
  if (!before) return added
  // An OR in a block or a text gets parentheses that it does not need: the tokens would be 6 kB of the page.
  return `${/\bor\b/i.test(before) ? `(${before})` : before} AND ${added}`
}
